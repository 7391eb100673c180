import type { GuestFiles } from "./guest_files.ts";

/** What Deno and the programs it runs need to find their files, as here. */
const KEYS = ["PATH", "HOME", "DENO_DIR", "XDG_CACHE_HOME"];

/** The environment of a command in a guest: this machine's, with the guest's bpftrace. */
export function guestEnvironment({ bin }: GuestFiles): Record<string, string> {
  const env: Record<string, string> = { NO_COLOR: "1" };
  for (const key of KEYS) {
    const value = Deno.env.get(key);
    if (value) env[key] = value;
  }
  return { ...env, PATH: `${bin}:${env.PATH}` };
}

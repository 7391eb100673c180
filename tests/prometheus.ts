/**
 * Debian's Prometheus and its promtool: those of this machine, or the ones of Debian's package, unpacked
 * into the cache of the tests, without the service that it would start.
 *
 * @module
 */
import { findExecutable } from "../src/linux/host.ts";
import { messageOf } from "../src/text/message.ts";
import { cached } from "./vm/cache.ts";
import { DebianArchive, debianRelease } from "./vm/debian_archive.ts";

/** The programs, by path. */
export interface Prometheus {
  prometheus: string;
  promtool: string;
}

let found: Promise<Prometheus | string> | undefined;

/** Finds them. @returns Where they are, or why they cannot be had here. */
export function findPrometheus(): Promise<Prometheus | string> {
  return found ??= find();
}

async function find(): Promise<Prometheus | string> {
  const [prometheus, promtool] = [findExecutable("prometheus"), findExecutable("promtool")];
  if (prometheus !== undefined && promtool !== undefined) return { prometheus, promtool };
  const release = await debianRelease();
  if (release === undefined) return 'no "prometheus", and this is no Debian to fetch it from';
  const name = `prometheus-${release.codename}`;
  try {
    const folder = await cached(name, async (partial) => {
      if (Deno.env.get("SYNSNOOP_SETUP") === "never") {
        throw new Error("SYNSNOOP_SETUP=never forbids fetching it");
      }
      const lists = await Deno.makeTempDir({ prefix: "synsnoop-debian-" });
      try {
        const archive = await DebianArchive.open(release.codename, lists);
        await archive.unpack("prometheus", partial);
      } finally {
        await Deno.remove(lists, { recursive: true });
      }
    });
    const bin = `${folder}/usr/bin`;
    return { prometheus: `${bin}/prometheus`, promtool: `${bin}/promtool` };
  } catch (error) {
    return `Prometheus cannot be had: ${messageOf(error).split("\n")[0]}`;
  }
}

/** Runs promtool. @returns Its status and all that it says. */
export async function promtool(
  { promtool }: Prometheus,
  args: readonly string[],
  input = "",
): Promise<{ code: number; said: string }> {
  const child = new Deno.Command(promtool, {
    args: [...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input));
  await writer.close();
  const { code, stdout, stderr } = await child.output();
  return { code, said: [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("") };
}

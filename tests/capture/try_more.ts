/**
 * Tries to do more than reading a capture takes, in the process that has loaded it, and says on standard
 * error what was permitted. Loaded before a command by `--preload`, it does so when that opens a file.
 *
 * @module
 */
const HERE = "127.0.0.1";

const ATTEMPTS: Record<string, () => unknown> = {
  "start a program": () => new Deno.Command("true").outputSync(),
  "call the C library": () =>
    Deno.dlopen("libc.so.6", { getpid: { parameters: [], result: "i32" } }).close(),
  "connect": async () => (await Deno.connect({ hostname: HERE, port: 9 })).close(),
  "listen": () => Deno.listen({ hostname: HERE, port: 0 }).close(),
  "fetch": async () => await (await fetch(`http://${HERE}:47113`)).body?.cancel(),
  "look up a name": () => Deno.resolveDns("localhost", "A"),
  "make a file": () => Deno.removeSync(Deno.makeTempFileSync()),
  "remove a file": () => Deno.removeSync("/nowhere/file"),
  "signal another process": () => Deno.kill(Deno.ppid, "SIGCONT"),
  "look at other processes": () => Deno.readTextFileSync("/proc/1/stat"),
  "read the environment of this one": () => Deno.readTextFileSync("/proc/self/environ"),
  "load what is elsewhere": () => import(`http://${HERE}:9/module.ts`),
};

/** Tries all. @returns What was permitted, whether it succeeded or not. */
export async function tryMore(): Promise<string[]> {
  const permitted: string[] = [];
  for (const [what, attempt] of Object.entries(ATTEMPTS)) {
    try {
      await attempt();
      permitted.push(what);
    } catch (error) {
      const isRefused = error instanceof Deno.errors.NotCapable ||
        error instanceof TypeError && /Requires import access/.test(error.message);
      if (!isRefused) permitted.push(what);
    }
  }
  return permitted;
}

/** How many things are tried. */
export const ATTEMPT_COUNT: number = Object.keys(ATTEMPTS).length;

/** What stands before the list on standard error. */
export const PERMITTED = "permitted: ";

if (Deno.env.get("TRY_MORE") !== undefined) {
  const { open } = Deno;
  Object.assign(Deno, {
    open: async (...args: Parameters<typeof open>) => {
      Object.assign(Deno, { open });
      console.error(PERMITTED + JSON.stringify(await tryMore()));
      return await open(...args);
    },
  });
}

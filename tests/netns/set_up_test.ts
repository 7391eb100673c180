// When a trace installs what it needs: once it has begun, and never for what needs no root. On a machine
// without bpftrace, which a mount namespace makes of this one, whose package manager is a script.
// Covers src/setup/machine.ts
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { findExecutable } from "../../src/linux/host.ts";
import { Namespace, reasonAgainstNamespaces, skippableTest, until } from "./namespace.ts";
import { MAIN } from "./tracer.ts";

const PORT = 25_002;
const ROOT = new URL("../../", import.meta.url).pathname;
const BPFTRACE = findExecutable("bpftrace");
const NO_MACHINE = await reasonAgainstNamespaces() ??
  (BPFTRACE === undefined ? "no bpftrace to hide" : undefined) ??
  (findExecutable("unshare") === undefined ? 'no "unshare" (package util-linux)' : undefined);
const folder = await Deno.makeTempDir({ prefix: "synsnoop-set-up-" });
globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));

let machines = 0;

/** A machine without bpftrace, and what its apt-get was asked to do. */
async function withoutBpftrace(namespace: Namespace, aptGet: string) {
  const bin = `${folder}/${++machines}`;
  const asked = `${bin}.asked`;
  await Deno.mkdir(bin);
  const script = `#!/bin/sh\necho "$@" >>${asked}\n${aptGet}\n`;
  await Deno.writeTextFile(`${bin}/apt-get`, script, { mode: 0o755 });
  const hide = `mount --bind /dev/null ${BPFTRACE} && PATH=${bin}:$PATH exec "$@"`;
  return {
    asked: () => Deno.readTextFile(asked).catch(() => ""),
    /** Runs a command on it, from the repository. */
    run: (command: readonly string[]) => {
      const child = namespace.spawn(
        ["unshare", "--mount", "--propagation", "private", "sh", "-c", hide, "sh", ...command],
        { cwd: ROOT, env: { NO_COLOR: "1" }, stdout: "piped", stderr: "piped" },
      );
      let said = "";
      const read = (async () => {
        for await (const part of child.stderr.pipeThrough(new TextDecoderStream())) said += part;
      })();
      return {
        child,
        says: (pattern: RegExp) => until(`${pattern} in ${said}`, () => pattern.test(said)),
        said: () => said,
        ended: async () => {
          const [stdout] = await Promise.all([new Response(child.stdout).text(), read]);
          return { code: (await child.status).code, stdout, said };
        },
      };
    },
  };
}

const TOOL = [Deno.execPath(), "run", "--quiet", "-A", MAIN];

for (
  const { args, code, shows } of [
    { args: ["trace", "--help"], code: 0, shows: /^Report every TCP handshake/ },
    { args: ["trace", "--version"], code: 0, shows: /^synsnoop \d+\.\d+\.\d+\n$/ },
    { args: ["trace", "--nope"], code: 2, shows: /^$/ },
    { args: ["explain", "--help"], code: 0, shows: /^Explain one TCP handshake/ },
  ]
) {
  skippableTest(`deno task ${args.join(" ")} installs nothing`, NO_MACHINE, async () => {
    await using namespace = await Namespace.create();
    const machine = await withoutBpftrace(namespace, "exit 100");
    const run = machine.run([Deno.execPath(), "task", ...args]);
    const { stdout, said, code: status } = await run.ended();
    assertEquals([status, await machine.asked()], [code, ""], said);
    assertMatch(stdout, shows);
    assertEquals(said.match(/^Task /gm)?.length, 1, said);
  });
}

skippableTest("trace captures while it installs, and Ctrl-C ends both", NO_MACHINE, async () => {
  await using namespace = await Namespace.create();
  const interrupted = `${folder}/interrupted`;
  const machine = await withoutBpftrace(
    namespace,
    // A shell hears a signal behind the command that it waits for.
    `trap 'echo >${interrupted}; kill $!; exit 100' INT; sleep 60 & wait`,
  );
  const run = machine.run([...TOOL, "trace", "--port", String(PORT), "--json"]);
  await run.says(/^synsnoop: Installing bpftrace \(once\): apt-get update .*apt-get install/m);
  await until("apt-get runs", async () => (await machine.asked()).startsWith("update "));
  const connect = `exec 3<>/dev/tcp/127.0.0.1/${PORT}`;
  await namespace.run("bash", "-c", `(${connect}) 2>/dev/null; true`);
  run.child.kill("SIGINT");
  const { code, stdout, said } = await run.ended();
  assertEquals(code, 0, said);
  assertEquals(stdout.trimEnd().split("\n").map((line) => JSON.parse(line).event), [
    "handshake",
    "status",
    "summary",
  ]);
  await until("apt-get was asked to end", () => exists(interrupted));
  assert(!/Cannot|no kernel events/.test(said), said);
  assert(!(await machine.asked()).includes("install"));
});

skippableTest(
  "trace goes on with packets where bpftrace cannot be installed",
  NO_MACHINE,
  async () => {
    await using namespace = await Namespace.create();
    const machine = await withoutBpftrace(namespace, "exit 100");
    const run = machine.run([...TOOL, "trace", "--port", String(PORT), "--json"]);
    await run.says(/going on with packets alone/);
    run.child.kill("SIGINT");
    const { code, said } = await run.ended();
    assertEquals(code, 0);
    assertStringIncludes(said, "synsnoop: Cannot install bpftrace: apt-get failed; run ");
    assertMatch(await machine.asked(), /^update .*\ninstall .* bpftrace\n$/);
  },
);

skippableTest("trace without kernel events installs nothing", NO_MACHINE, async () => {
  await using namespace = await Namespace.create();
  const machine = await withoutBpftrace(namespace, "exit 100");
  const run = machine.run([...TOOL, "trace", "--probes", "none", "--duration", "1ms"]);
  const { code, said } = await run.ended();
  assertEquals([code, await machine.asked()], [0, ""], said);
});

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

// Words of the kernel that come later than others, as on a busy machine: nothing that they tell may be
// lacking in a record.
import { assert, assertEquals } from "@std/assert";
import { findExecutable } from "../../src/linux/host.ts";
import type { HandshakeRecord } from "../../src/record/record.ts";
import { compileC } from "./compile.ts";
import { Namespace, reasonAgainstNamespaces, skippableTest } from "./namespace.ts";
import { Tracer, type TraceResult } from "./tracer.ts";

const [PORT, COUNT, LATE_MS, TRIES_MAX] = [4448, 10, 300, 20];
const LATE_LINES = new URL("late_lines.py", import.meta.url).pathname;

const folder = await Deno.makeTempDir({ prefix: "synsnoop-late-" });
globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
const connectLoad = await compileC(new URL("connect_load.c", import.meta.url), folder);

/** The last 24 bits of the word that has the old state, the new one, and the kind of record. */
const WORDS = {
  "a listener's start": "070a02",
  "the server's end of a handshake": "030100",
  "the client's end of a handshake": "020101",
  "a listener's end": "0a0702",
} as const;
type Word = keyof typeof WORDS;

/** Words that come late together. */
const LATE: readonly (readonly Word[])[] = [
  ["a listener's start"],
  ["a listener's end"],
  ["the client's end of a handshake"],
  ["the server's end of a handshake"],
  ["a listener's start", "the server's end of a handshake"],
  ["a listener's start", "a listener's end"],
];

/**
 * A bpftrace whose records come as lines, some of them late, of connections to the port alone: what others
 * on the machine do meanwhile is neither late nor counted. And with another name for their count.
 */
async function lateBpftrace(
  words: readonly Word[],
  counter = "@written",
): Promise<Deno.CommandOptions> {
  const bin = await Deno.makeTempDir({ dir: folder });
  const codes = words.map((word) => WORDS[word]).join("|");
  const pattern = `^K([|][0-9a-f]+){6}[|][0-9a-f]*(${codes})[|]`;
  const text = `#!/bin/bash
case $1 in --version) exec ${findExecutable("bpftrace")} "$@" ;; esac
program=\${4/0x0404040404040404/0x0404040404040405}
program=\${program//@written/${counter}}
program=\${program%%tracepoint:skb:kfree_skb*}
program=\${program/'args->protocol == 6'/'args->protocol == 6 && (args->sport == ${PORT} || args->dport == ${PORT})'}
exec > >(exec python3 ${LATE_LINES} ${LATE_MS} '${pattern}')
exec ${findExecutable("bpftrace")} "\${@:1:3}" "$program" "\${@:5}"
`;
  await Deno.writeTextFile(`${bin}/bpftrace`, text, { mode: 0o755 });
  return { env: { PATH: `${bin}:${Deno.env.get("PATH")}` } };
}

/** Connects while a trace runs that is told late; again, until what it wrote shows something. */
async function lateTest(
  name: string,
  options: () => Promise<Deno.CommandOptions>,
  isDone: (result: TraceResult) => boolean,
): Promise<void> {
  const missing = findExecutable("bpftrace") === undefined
    ? "bpftrace is not installed"
    : undefined;
  skippableTest(name, missing ?? await reasonAgainstNamespaces(), async () => {
    for (let tries = 1;; tries++) {
      await using namespace = await Namespace.create();
      const ours = ["--json", "--probes", "tracepoint", "--port", String(PORT)];
      const tracer = await Tracer.start(namespace, ours, await options());
      await tracer.said(/kernel events come as printed lines/);
      await namespace.run(connectLoad, "::1", String(PORT), String(COUNT));
      await tracer.wrote(COUNT);
      if (isDone(await tracer.stop())) return;
      assert(tries < TRIES_MAX, "it was never told in time");
    }
  });
}

for (const late of LATE) {
  await lateTest(
    `trace lacks nothing where it is told late of ${late.join(", ")}`,
    () => lateBpftrace(late),
    ({ records, summary }) => {
      assertEquals(summary!.by_evidence, { both: COUNT, wire_only: 0, kernel_only: 0 });
      assertEquals(records.map(processes), Array(COUNT).fill(["connect_load", "connect_load"]));
      return true;
    },
  );
}

await lateTest(
  "trace waits for a listener's end also where it cannot tell how much is to come",
  () => lateBpftrace(["a listener's end"], "@others"),
  ({ records }) => {
    // What comes late beside that end, on a busy machine, it does not wait for then.
    const told = records.filter(({ evidence }) => evidence.includes("kernel"));
    for (const record of told) assertEquals(processes(record)[1], "connect_load");
    return told.length > 0;
  },
);

function processes({ client, server }: HandshakeRecord): (string | undefined)[] {
  return [client.process?.comm, server.process?.comm];
}

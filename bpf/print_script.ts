/**
 * Prints the script that `trace` has bpftrace run, as one readable file: `deno task script KIND`, with
 * `fentry`, `kprobe` or `tracepoint` as its kind. Reasons of drops and resets are in it where this
 * kernel gives them, and this user may look.
 *
 *     deno task script fentry >handshake.fentry.bt
 *     bpftrace --no-warnings handshake.fentry.bt
 *
 * @module
 */
import { inspectProbes } from "../src/linux/probes/inspect_kernel.ts";
import { readProbePrograms } from "../src/linux/probes/probe_programs.ts";
import { writeText } from "../src/files/stream_output.ts";
import { sayNote } from "../src/cli/process/terminal.ts";
import { chooseProbes, MECHANISMS } from "../src/kernel/choose_probes.ts";

const kind = MECHANISMS.find((mechanism) => mechanism === Deno.args[0]);
if (kind === undefined || Deno.args.length !== 1) {
  sayNote(`Give the kind of script: ${MECHANISMS.join(", ")}`);
  Deno.exit(2);
}
const { facts } = await inspectProbes();
const { fragments, missing } = chooseProbes(facts, kind);
const [{ text }] = await readProbePrograms([kind], fragments);
for (const { reason } of missing) sayNote(reason);
const made = ["handshake", ...fragments].map((name) => `bpf/${name}.bt`).join(", ");
if (!await writeText(Deno.stdout, `/* The ${kind} script, from ${made} */\n${text}`)) Deno.exit(1);

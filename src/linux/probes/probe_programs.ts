/**
 * The texts of the probe programs, from the scripts in `bpf/`.
 *
 * @module
 */
import {
  type Fragment,
  type Mechanism,
  MECHANISM_LACKS,
  MECHANISM_WORDS,
} from "../../kernel/choose_probes.ts";
import { probeScript } from "../../kernel/probe_script.ts";

/** A program for bpftrace. */
export interface ProbeProgram {
  /** What it hooks the kernel by. */
  mechanism: Mechanism;
  /** The same for a sentence. */
  words: string;
  /** What it does not tell that the one before it does, for a sentence; "" where nothing. */
  lacks: string;
  /** Whether it tells of accept() too: of an established server by another probe once more. */
  tellsAccept: boolean;
  /** Entries that its maps must have for it to tell all that it can. */
  mapEntriesMin: number;
  /** Its text. */
  text: string;
}

const FOLDER = new URL("../../../bpf/", import.meta.url);
/** The slots in which function probes remember a SYN until its handshake ends: `0x3fff` in the source. */
const SYN_SLOTS = 16_384;

/**
 * Reads one program for each mechanism, each with the fragments joined to it. Where the tracepoint is
 * the last, one more program has it alone: that a fragment fails must not cost everything.
 *
 * @throws {Deno.errors.NotFound} when a script is gone.
 */
export async function readProbePrograms(
  mechanisms: readonly Mechanism[],
  fragments: readonly Fragment[],
): Promise<ProbeProgram[]> {
  const [source, ...joined] = await Promise.all(["handshake", ...fragments].map(read));
  const programs = mechanisms.map((mechanism): ProbeProgram => ({
    mechanism,
    words: MECHANISM_WORDS[mechanism],
    lacks: MECHANISM_LACKS[mechanism],
    tellsAccept: mechanism !== "tracepoint",
    mapEntriesMin: mechanism === "tracepoint" ? 0 : SYN_SLOTS,
    text: [probeScript(source, mechanism), ...joined].join("\n"),
  }));
  if (mechanisms.at(-1) === "tracepoint" && fragments.length > 0) {
    programs.push({
      mechanism: "tracepoint",
      words: `${MECHANISM_WORDS.tracepoint} alone`,
      lacks: `no reasons of ${fragments.map((fragment) => `${fragment}s`).join(" and ")}`,
      tellsAccept: false,
      mapEntriesMin: 0,
      text: probeScript(source, "tracepoint"),
    });
  }
  return programs;
}

function read(name: string): Promise<string> {
  return Deno.readTextFile(new URL(`${name}.bt`, FOLDER));
}

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
} from "../kernel/choose_probes.ts";

/** A program for bpftrace. */
export interface ProbeProgram {
  /** What it hooks the kernel by, for a sentence. */
  words: string;
  /** What it does not tell that the one before it does, for a sentence; "" where nothing. */
  lacks: string;
  /** Its text. */
  text: string;
}

const FOLDER = new URL("../../bpf/", import.meta.url);

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
  const joined = await Promise.all(fragments.map((fragment) => read(`${fragment}.tracepoint.bt`)));
  const programs = await Promise.all(mechanisms.map(async (mechanism) => ({
    words: MECHANISM_WORDS[mechanism],
    lacks: MECHANISM_LACKS[mechanism],
    text: [await read(`handshake.${mechanism}.bt`), ...joined].join("\n"),
  })));
  if (mechanisms.at(-1) === "tracepoint" && fragments.length > 0) {
    programs.push({
      words: `${MECHANISM_WORDS.tracepoint} alone`,
      lacks: `no reasons of ${fragments.map((fragment) => `${fragment}s`).join(" and ")}`,
      text: await read("handshake.tracepoint.bt"),
    });
  }
  return programs;
}

function read(name: string): Promise<string> {
  return Deno.readTextFile(new URL(name, FOLDER));
}

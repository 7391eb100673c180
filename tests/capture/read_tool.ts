/**
 * Runs `synsnoop read` as a process.
 *
 * @module
 */
import type { HandshakeRecord } from "../../src/record/record.ts";
import { roundTrip } from "../unit/record/round_trip.ts";

const MAIN = new URL("../../src/main.ts", import.meta.url).pathname;

/** What a run wrote. */
export interface ReadRun {
  status: number;
  records: HandshakeRecord[];
  /** The last line of NDJSON. */
  summary: {
    handshakes: number;
    losses: Record<string, number>;
    discarded: Record<string, number>;
  };
  /** What it said on standard error. */
  said: string;
}

/** The command that runs it: a program and its arguments. */
export function readCommand(args: readonly string[]): [program: string, ...args: string[]] {
  return [Deno.execPath(), "run", "-A", "--quiet", MAIN, "read", ...args];
}

/** Starts the tool; its standard input and output are pipes. */
export function startRead(args: readonly string[]): Deno.ChildProcess {
  const [program, ...rest] = readCommand(args);
  return new Deno.Command(program, {
    args: rest,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** Runs it to its end with some bytes on standard input. */
export async function runRead(
  args: readonly string[],
  input: Uint8Array = new Uint8Array(0),
): Promise<ReadRun> {
  const child = startRead(args);
  const fed = (async () => {
    const writer = child.stdin.getWriter();
    // Whoever reads no standard input may be gone before it is written.
    await writer.write(input).then(() => writer.close()).catch(() => {});
  })();
  const { code, stdout, stderr } = await child.output();
  await fed;
  const texts = new TextDecoder().decode(stdout).split("\n").filter((line) => line !== "");
  const lines = texts.map((line) => JSON.parse(line));
  for (const [at, { event }] of lines.entries()) {
    if (event === "handshake") roundTrip(texts[at] + "\n");
  }
  return {
    status: code,
    records: lines.filter(({ event }) => event === "handshake"),
    summary: lines.at(-1),
    said: new TextDecoder().decode(stderr),
  };
}

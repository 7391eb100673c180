/**
 * Writes records into a store until it is killed: FOLDER RUN BYTES. Begins a new hour now and then, seals
 * those that are over, and goes on living once so many bytes are written. Tells how many there are.
 *
 * @module
 */
import { SegmentOutput } from "../../src/store/segment_output.ts";
import { StoreKeeper } from "../../src/store/store_keeper.ts";
import { makeRecords } from "./made_records.ts";

/** The host that it says it is. */
export const HOST = "5f1c7c3aa9d04c5b8e0d5c1f0a7b6e21";
const HOUR_MS = 3_600_000;
/** Hours from one run to the next; a run has fewer of its own. */
const HOURS_A_RUN = 4;
/** Lines of one write: a kernel that kills somebody ends his write between two pages of memory. */
const LINES_A_WRITE = [1, 7, 60, 400];

/** Which tracer a run is. */
export function tracerOf(run: number): string {
  return `${run + 1}-1`;
}

const MADE = makeRecords(100, 5).flatMap(({ lines }) => [...lines.values()]);

/** What a run writes, one write after another; with the hour of the run that it is written in. */
export function* writesOf(run: number): Generator<{ lines: readonly string[]; hour: number }> {
  for (let at = 0, write = 0;; write++) {
    const count = LINES_A_WRITE[(run + write) % LINES_A_WRITE.length];
    const lines = Array.from({ length: count }, () => MADE[(run * 31 + at++) % MADE.length]);
    yield { lines, hour: Math.min(Math.floor(write / 5), HOURS_A_RUN - 2) };
  }
}

function main(folder: string, run: number, bytes: number): void {
  // What a run that was killed left behind is older than this run's clock.
  const beginMs = Date.now() + run * HOURS_A_RUN * HOUR_MS;
  let hour = 0;
  const options = {
    ...{ folder, host: HOST, tracer: tracerOf(run), keeping: {} },
    onChange: (sentence: string) => console.error(sentence),
    nowMs: () => beginMs + hour * HOUR_MS,
  };
  const output = new SegmentOutput(options);
  // It looks every minute, and here hours are shorter: another tracer beside it looks more often.
  const keeper = new StoreKeeper({ ...options, tracer: `${run + 1}-2` });
  let written = 0;
  for (const { lines, hour: next } of writesOf(run)) {
    if (next > hour) {
      hour = next;
      keeper.tend();
    }
    const text = new TextEncoder().encode(lines.join(""));
    output.write(text, lines.length);
    written += text.length;
    Deno.stdout.writeSync(new TextEncoder().encode(`${written}\n`));
    if (written >= bytes) break;
  }
  Deno.stdin.readable.pipeTo(new WritableStream());
}

if (import.meta.main) {
  const [folder, run, bytes] = Deno.args;
  main(folder, Number(run), Number(bytes));
}

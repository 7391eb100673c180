// Tracers of a store that are killed, at any byte that they write or seal.
import { assert, assertEquals, assertGreater } from "@std/assert";
import { TextLineStream } from "@std/streams";
import fc from "fast-check";
import { zstdDecompressSync } from "node:zlib";
import { UNFINISHED } from "../../src/store/seal.ts";
import { SEALED } from "../../src/store/segment_name.ts";
import { listSegments, type Segment } from "../../src/store/store_folder.ts";
import { StoreKeeper } from "../../src/store/store_keeper.ts";
import { Folder } from "../folder.ts";
import { until } from "../netns/namespace.ts";
import { HOST, tracerOf, writesOf } from "./killed_writer.ts";

const WRITER = new URL("killed_writer.ts", import.meta.url).pathname;
const KILLS = 200;
/** Stores that are written side by side. */
const STORES = 2;
const BEHIND_BYTES = 300_000;
const NEWLINE = "\n".charCodeAt(0);

/** When a writer is killed. */
interface Plan {
  /** Bytes that it told to be written. */
  written: number;
  /** How many segments were sealed by then, and bytes of the one that is being sealed; null: whatever. */
  sealing: { segments: number; bytes: number } | null;
}

const PLAN: fc.Arbitrary<Plan> = fc.record({
  written: fc.integer({ min: 1, max: 400_000 }),
  sealing: fc.option(
    fc.record({ segments: fc.nat(6), bytes: fc.nat(20_000) }),
    { freq: 2 },
  ),
});

function sizeOf(path: string): number {
  try {
    return Deno.statSync(path).size;
  } catch {
    return 0;
  }
}

/** Has a run write until it is killed. @returns Bytes that it told to be written. */
async function killWriter(folder: string, run: number, plan: Plan): Promise<number> {
  const { written, sealing } = plan;
  // It is killed while it writes on, and writes no more than a loaded machine can bear.
  const bytes = sealing === null ? written + BEHIND_BYTES : written;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--quiet", WRITER, folder, `${run}`, `${bytes}`],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  let told = 0;
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
  const sealedBefore = countSealed(folder);
  const isSealing = ({ segments, bytes }: NonNullable<Plan["sealing"]>) =>
    countSealed(folder) - sealedBefore >= segments &&
    [...Deno.readDirSync(folder)].some(({ name }) =>
      name.startsWith(`${UNFINISHED}${run + 1}-`) && sizeOf(`${folder}/${name}`) >= bytes
    );
  // What others left may be sealed before anybody looked.
  const isSealed = () =>
    listSegments(folder).every(({ isSealed, tracer }) => isSealed || tracer === tracerOf(run));
  for await (const line of lines) {
    told = Number(line);
    if (told < written) continue;
    if (sealing !== null) await until("it seals", () => isSealing(sealing) || isSealed());
    child.kill("SIGKILL");
    break;
  }
  const { signal } = await child.status;
  assertEquals(signal, "SIGKILL");
  await child.stdin.close().catch(() => {});
  return told;
}

function countSealed(folder: string): number {
  if (sizeOf(folder) === 0) return 0;
  return [...Deno.readDirSync(folder)].filter(({ name }) => name.endsWith(SEALED)).length;
}

function bytesOf({ path, isSealed }: Segment): Uint8Array {
  const bytes = Deno.readFileSync(path);
  return isSealed ? zstdDecompressSync(bytes) : bytes;
}

/** The first bytes that a run writes, by its hours. */
function expected(run: number, total: number): Uint8Array[] {
  const hours: string[] = [];
  let length = 0;
  for (const { lines, hour } of writesOf(run)) {
    if (length >= total) break;
    const text = lines.join("");
    hours[hour] = (hours[hour] ?? "") + text;
    length += text.length;
  }
  return hours.map((text) => new TextEncoder().encode(text));
}

/** Holds what is there of a run against what it wrote. @returns Whether a line is torn. */
function check(folder: string, run: number, told: number): boolean {
  const parts = listSegments(folder).filter(({ tracer }) => tracer === tracerOf(run)).map(bytesOf);
  const total = parts.reduce((sum, { length }) => sum + length, 0);
  assert(total >= told, `run ${run}: ${total} bytes are there of ${told}`);
  const wanted = expected(run, total);
  for (const [hour, part] of parts.entries()) {
    const isLast = hour === parts.length - 1;
    const whole = wanted[hour] ?? new Uint8Array(0);
    // Of an hour that was left nothing is missing; one may have been begun and no more.
    const isEqual = part.every((byte, at) => byte === whole[at]);
    assert(isEqual && (isLast || part.length === whole.length), `run ${run}, hour ${hour}`);
  }
  return total > 0 && parts.at(-1)!.at(-1) !== NEWLINE;
}

Deno.test(`kill -9 of who writes a store, ${KILLS} times: at most the last line is torn, no hour is harmed`, async () => {
  const plans = fc.sample(PLAN, { numRuns: KILLS, seed: 19 });
  let [killedSealing, torn] = [0, 0];
  await Promise.all(Array.from({ length: STORES }, async (_, lane) => {
    using parent = new Folder();
    const folder = `${parent.path}/store`;
    const toldOf: number[] = [];
    let left = new Set<string>();
    for (let run = 0; run < KILLS / STORES; run++) {
      toldOf.push(await killWriter(folder, run, plans[run * STORES + lane]));
      check(folder, run, toldOf[run]);
      if (run > 0) check(folder, run - 1, toldOf[run - 1]);
      const unfinished = new Set(
        [...Deno.readDirSync(folder)].map(({ name }) => name)
          .filter((name) => name.startsWith(UNFINISHED)),
      );
      killedSealing += [...unfinished].filter((name) => !left.has(name)).length;
      left = unfinished;
    }

    // The next one seals all that they left, and removes what is none.
    const keeper = new StoreKeeper({
      ...{ folder, host: HOST, tracer: "0-1", keeping: {} },
      onChange: (sentence) => assert(false, sentence),
      nowMs: () => Date.now() + 1e12,
    });
    await keeper.tend();
    await keeper.close();
    assert(listSegments(folder).every(({ isSealed }) => isSealed));
    assertEquals([...Deno.readDirSync(folder)].filter(({ name }) => !name.endsWith(SEALED)), []);
    const checked = toldOf.map((told, run) => check(folder, run, told));
    torn += checked.filter((isTorn) => isTorn).length;
  }));
  console.log(`killed while it sealed: ${killedSealing}; torn lines: ${torn}`);
  assertGreater(killedSealing, KILLS / 20);
});

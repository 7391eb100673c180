/**
 * A scenario is data: what happens, in a sentence and as traffic, and the records it must give.
 *
 * @module
 */
import type { HandshakeRecord } from "../../../src/record/record.ts";
import type { Performance, Stage } from "./lab.ts";
import type { Topology } from "./topology.ts";

/** What a value must be where it is not one known number or text. */
export class Matcher {
  readonly what: string;
  readonly fits: (actual: unknown) => boolean;

  constructor(what: string, fits: (actual: unknown) => boolean) {
    this.what = what;
    this.fits = fits;
  }
}

/** Anything but absent. */
export const present = new Matcher("present", (actual) => actual !== undefined);

/** Present or absent: what depends on who was faster. */
export const anything = new Matcher("anything", () => true);

/** A number in a range, both ends included. */
export function between(min: number, max: number): Matcher {
  const fits = (actual: unknown) => typeof actual === "number" && actual >= min && actual <= max;
  return new Matcher(`between ${min} and ${max}`, fits);
}

/**
 * Part of a record: of an object the members named, `undefined` for one that must be absent; of a
 * list all.
 */
export type Expected<T> = T extends readonly (infer Item)[] ? readonly Item[] | Matcher
  : T extends object ? { readonly [K in keyof T]?: Expected<T[K]> | undefined } | Matcher
  : T | Matcher;

/** Part of a record that a tracer must write. */
export type ExpectedRecord = Expected<HandshakeRecord>;

/** The records of each tracer by the view's name, in the order of their first packets. */
export type ExpectedRecords = Readonly<Record<string, readonly ExpectedRecord[]>>;

/** A case. */
export interface Scenario {
  /** In a few words. */
  name: string;
  /** What happens and what the records say of it: one sentence or two for a reader. */
  says: string;
  /** Where; every scenario of a topology runs under the same tracers. */
  topology: Topology;
  /** Whether the traffic begins before the tracers do; it then awaits `traceBegan` itself. */
  beginsBeforeTrace?: boolean;
  /** What happens. Ends when all has happened that is to be in the records. */
  traffic(stage: Stage): Promise<void>;
  /** What each of the topology's views must report of the scenario's ports: these and no more. */
  expected: ExpectedRecords | ((port: number) => ExpectedRecords);
}

/** Fails where a scenario was not played or its records are not as expected, and says all of it. */
export function check(scenario: Scenario, performance: Performance): void {
  const played = performance.played.get(scenario)!;
  if ("error" in played) throw played.error;
  const { expected: wanted } = scenario;
  const expected = typeof wanted === "function" ? wanted(performance.ports.get(scenario)!) : wanted;
  const findings: string[] = [];
  for (const view of Object.keys(scenario.topology.views)) {
    const records = played.records.get(view)!;
    const wantedHere = expected[view];
    if (wantedHere === undefined) throw new Error(`Cannot check "${view}": nothing is expected`);
    const here: string[] = [];
    if (records.length !== wantedHere.length) {
      here.push(`${records.length} records, expected ${wantedHere.length}`);
    }
    wantedHere.slice(0, records.length).forEach((record, index) => {
      compare(record, records[index], `record ${index}`, here);
    });
    if (here.length === 0) continue;
    findings.push(...here.map((finding) => `${view}: ${finding}`));
    findings.push(...records.map((record) => `${view} has ${JSON.stringify(record)}`));
  }
  if (findings.length > 0) throw new Error(`${scenario.says}\n${findings.join("\n")}`);
}

function compare(expected: unknown, actual: unknown, path: string, findings: string[]): void {
  const wrong = (what: string) =>
    findings.push(`${path} is ${JSON.stringify(actual) ?? "absent"}, expected ${what}`);
  if (expected instanceof Matcher) {
    if (!expected.fits(actual)) wrong(expected.what);
  } else if (expected !== null && typeof expected === "object" && !Array.isArray(expected)) {
    if (actual === undefined) {
      if (Object.values(expected).some((each) => each !== undefined)) wrong("an object");
      return;
    }
    for (const [key, value] of Object.entries(expected)) {
      compare(value, (actual as Record<string, unknown>)[key], `${path}.${key}`, findings);
    }
  } else if (JSON.stringify(expected) !== JSON.stringify(actual)) {
    wrong(JSON.stringify(expected) ?? "nothing");
  }
}

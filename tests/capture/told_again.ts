/**
 * Records of handshakes that several tell, and which of them count, found by comparing all with all.
 *
 * @module
 */
import fc from "fast-check";
import { encodeHandshake } from "../../src/record/ndjson.ts";
import { makeHandshake } from "../unit/record/sample_handshakes.ts";

/** A record, and what decides whether it counts. */
interface ToldRecord {
  host: string;
  hostId: string | undefined;
  tracer: string | undefined;
  /** The client's, which also says which port it has. */
  isn: number | undefined;
  seconds: number;
  /** Of no other record: what the server chose. */
  number: number;
}

const NEAR_SECONDS = 120;
const HOSTS = ["web1", "api1", "ä", "z"];

/** So many records or a few less, in an order that means nothing. @param seed Other ones for another. */
export function toldRecords(count: number, seed: number): ToldRecord[] {
  const record = fc.record({
    host: fc.constantFrom(...HOSTS),
    hasId: fc.boolean(),
    tracer: fc.constantFrom(undefined, "1-1", "12-1", "2-1"),
    isn: fc.oneof({ arbitrary: fc.nat(40), weight: 20 }, {
      arbitrary: fc.constant(undefined),
      weight: 1,
    }),
    // Often the same, and often at the very border.
    seconds: fc.oneof(fc.constantFrom(0, 120, 121, 240, 241, 360), fc.nat(1_000)),
  });
  const made = fc.sample(record, { numRuns: count, seed }).map(({ hasId, ...each }, number) => ({
    ...each,
    // In the reverse order of their names.
    hostId: hasId ? `id${HOSTS.length - HOSTS.indexOf(each.host)}` : undefined,
    number,
  }));
  // A teller tells a handshake of one time once.
  const identity = (each: ToldRecord) => `${tellerOf(each)} ${each.isn} ${each.seconds}`;
  return [...new Map(made.map((each) => [identity(each), each])).values()];
}

/** The numbers of those that count, from the least on. */
export function countingNumbers(records: readonly ToldRecord[]): number[] {
  return records.filter((one) =>
    one.isn === undefined ||
    !records.some((other) =>
      other.isn === one.isn && isLess(tellerOf(other), tellerOf(one)) &&
      Math.abs(other.seconds - one.seconds) <= NEAR_SECONDS
    )
  ).map(({ number }) => number).toSorted((one, other) => one - other);
}

/** Its line. */
export function toldLine({ host, hostId, tracer, isn, seconds, number }: ToldRecord): string {
  const handshake = makeHandshake({
    client: { address: "192.0.2.1", port: 1_024 + (isn ?? 0) % 3, isn },
    server: { address: "192.0.2.2", port: 443, isn: number },
  });
  const timed = Object.assign(handshake, { timeNs: seconds * 1e9 });
  return encodeHandshake(timed, { host, hostId, tracer, interfaceName: () => undefined });
}

function tellerOf({ host, hostId, tracer }: ToldRecord): Uint8Array {
  return new TextEncoder().encode(`${hostId ?? host}\n${tracer ?? ""}`);
}

/** By their bytes. */
function isLess(one: Uint8Array, other: Uint8Array): boolean {
  const at = one.findIndex((byte, each) => byte !== other[each]);
  return at < 0 ? one.length < other.length : one[at] < (other[at] ?? -1);
}

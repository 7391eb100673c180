/**
 * Random filters, and random handshakes of which some pass them.
 *
 * @module
 */
import fc from "fast-check";
import { type Handshake, OUTCOMES, ROLES } from "../../src/match/handshake.ts";
import type { HandshakeFilter } from "../../src/pipeline/filter.ts";
import { encodeHandshake } from "../../src/record/ndjson.ts";
import type { RecordContext } from "../../src/record/record_context.ts";
import { parseAddress } from "../../src/wire/address.ts";
import { anyHandshake } from "../unit/record/arbitrary_handshake.ts";
import { CONTEXT } from "../unit/record/sample_handshakes.ts";

/** A context whose cgroups have paths and containers, whatever their number is. */
export const FILTER_CONTEXT: RecordContext = {
  ...CONTEXT,
  host: "web1",
  cgroupPath: (id) => `/slice${id % 3}/unit${id % 7}`,
  container: (id) =>
    id % 2 === 0 ? { id: `${id % 5}abc`.padEnd(64, "0"), name: `c${id % 4}` } : undefined,
};

/** Any filter of two parts. */
export function anyFilter(): fc.Arbitrary<HandshakeFilter> {
  const some = <T>(each: fc.Arbitrary<T>) =>
    fc.option(fc.array(each, { minLength: 1, maxLength: 3 }), { nil: undefined, freq: 3 });
  const port = fc.nat(65_535);
  const ports = fc.tuple(port, port)
    .map(([one, other]) => ({ first: Math.min(one, other), last: Math.max(one, other) }));
  const network = fc.tuple(fc.constantFrom("10.0.0.0", "::", "2001:db8::", "0.0.0.0"), fc.nat(128))
    .map(([text, bits]) => ({ words: parseAddress(text)!, bits }));
  const comm = fc.constantFrom("curl", "nginx", "x");
  const container = fc.constantFrom("c1", "c2", "0abc", "1abc0", "ab");
  const moment = fc.record({ seconds: fc.nat(2 ** 32 - 1), ns: fc.nat(999_999_999) });
  const parts = {
    ports: some(ports),
    notPorts: some(ports),
    serverPorts: some(ports),
    networks: some(network),
    notNetworks: some(network),
    captured: fc.constantFrom(undefined, true),
    roles: some(fc.constantFrom(...ROLES)),
    outcomes: some(fc.constantFrom(...OUTCOMES)),
    reasons: some(fc.constantFrom("ETIMEDOUT", "ERRNO_200", "NO_SOCKET")),
    slowerThan: fc.option(
      fc.record({
        leg: fc.constantFrom("network", "client", "server", "total"),
        ns: fc.nat(2_000_000_000),
      }),
      { nil: undefined, freq: 3 },
    ),
    comms: some(comm),
    notComms: some(comm),
    pids: some(fc.nat(10)),
    uids: some(fc.nat(10)),
    cgroups: some(fc.constantFrom("/slice0", "/slice1/unit1", "/slice")),
    containers: some(container),
    notContainers: some(container),
    since: fc.option(moment, { nil: undefined, freq: 3 }),
    until: fc.option(moment, { nil: undefined, freq: 3 }),
    tracedOn: some(fc.constantFrom("web1", "db1")),
    sample: fc.constantFrom(undefined, 1, 2, 10),
  };
  const part = fc.constantFrom(...Object.keys(parts) as (keyof typeof parts)[])
    .chain((name) => parts[name].map((value: unknown) => ({ [name]: value })));
  return fc.tuple(part, part).map(([one, other]) => ({ ...one, ...other }));
}

/** So many handshakes at most, each with its place among them as the initial sequence number of its server. */
export function anyHandshakes(count: number, seed: number): Handshake[] {
  // Bytes that are decoded give no half of a character, which DuckDB takes for no JSON.
  const handshakes = fc.sample(anyHandshake(), { numRuns: count, seed }).filter((it) =>
    !/\\ud[89a-f]/.test(JSON.stringify(JSON.parse(encodeHandshake(it, FILTER_CONTEXT))))
  );
  for (const [at, handshake] of handshakes.entries()) {
    // The record of it is found by this number again; small ids are found by a filter.
    handshake.server.isn = at;
    for (const { process } of [handshake.client, handshake.server]) {
      if (process === undefined) continue;
      Object.assign(process, { pid: process.pid % 20, uid: process.uid % 20 });
      process.comm = ["curl", "nginx", "x", process.comm][at % 4];
    }
  }
  return handshakes;
}

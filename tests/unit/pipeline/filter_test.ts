import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { Handshake } from "../../../src/match/handshake.ts";
import {
  type HandshakeFilter,
  isSampled,
  passes,
  readByFilter,
} from "../../../src/pipeline/filter.ts";
import { parseNetwork } from "../../../src/cli/flags/values.ts";
import { neededFields } from "../../../src/record/choose_fields.ts";
import { encodeHandshake } from "../../../src/record/ndjson.ts";
import { LineDecoder } from "../../../src/record/record_decoder.ts";
import { formatAddress } from "../../../src/wire/address.ts";
import { CONTEXT, EPOCH_SECONDS, makeHandshake } from "../record/sample_handshakes.ts";

const HANDSHAKE = makeHandshake({
  role: "client",
  outcome: "refused",
  reason: "ECONNREFUSED",
  resetReason: "NO_SOCKET",
  dropReason: "TCP_CSUM",
  dropPacket: "syn",
  dropCount: 1,
  clientRttNs: 2_000,
  serverRttNs: 30,
  totalNs: 2_040,
  wire: true,
  client: {
    address: "192.0.2.1",
    port: 50_000,
    process: { pid: 4711, comm: "curl", uid: 0, cgroup: 8231 },
  },
  server: {
    address: "2001:db8::1",
    port: 443,
    process: {
      pid: 12,
      comm: "nginx",
      uid: 33,
      cgroup: 2,
      thread: { tid: 13, comm: "pool-1" },
    },
  },
});

/** One that only the kernel saw, of a process that nobody knows. */
const BARE = makeHandshake({
  role: "server",
  outcome: "established",
  client: { address: "192.0.2.1", port: 50_000 },
  server: { address: "192.0.2.2", port: 80 },
});

function networks(...texts: string[]): HandshakeFilter {
  return { networks: texts.map((text) => parseNetwork("host", text)) };
}

const CASES: { filter: HandshakeFilter; handshake: boolean; bare: boolean }[] = [
  { filter: {}, handshake: true, bare: true },
  { filter: { ports: [{ first: 443, last: 443 }] }, handshake: true, bare: false },
  { filter: { ports: [{ first: 50_000, last: 50_000 }] }, handshake: true, bare: true },
  {
    filter: { ports: [{ first: 1, last: 1 }, { first: 80, last: 80 }] },
    handshake: false,
    bare: true,
  },
  { filter: { ports: [{ first: 1, last: 1 }] }, handshake: false, bare: false },
  { filter: networks("192.0.2.1"), handshake: true, bare: true },
  { filter: networks("2001:db8::/32"), handshake: true, bare: false },
  { filter: networks("10.0.0.0/8", "192.0.2.2"), handshake: false, bare: true },
  { filter: networks("10.0.0.0/8"), handshake: false, bare: false },
  // A network of IPv6 holds no IPv4 address, and none of IPv4 an IPv6 address.
  { filter: networks("::/0"), handshake: true, bare: false },
  { filter: networks("::/95"), handshake: false, bare: false },
  { filter: networks("::ffff:0:0/96"), handshake: true, bare: true },
  { filter: networks("0.0.0.0/0"), handshake: true, bare: true },
  { filter: { captured: true }, handshake: true, bare: false },
  { filter: { captured: false }, handshake: true, bare: true },
  { filter: { roles: ["client"] }, handshake: true, bare: false },
  { filter: { roles: ["local", "server"] }, handshake: false, bare: true },
  { filter: { outcomes: ["timeout", "refused"] }, handshake: true, bare: false },
  { filter: { outcomes: ["established"] }, handshake: false, bare: true },
  { filter: { comms: ["curl"] }, handshake: true, bare: false },
  { filter: { comms: ["x", "nginx"] }, handshake: true, bare: false },
  { filter: { comms: ["pool-1"] }, handshake: true, bare: false },
  { filter: { comms: ["ngin", "Curl", ""] }, handshake: false, bare: false },
  { filter: { pids: [4711] }, handshake: true, bare: false },
  { filter: { pids: [1, 12] }, handshake: true, bare: false },
  { filter: { pids: [471, 0] }, handshake: false, bare: false },
  { filter: { tracedOn: ["db1", "web1"] }, handshake: true, bare: true },
  { filter: { tracedOn: ["web"] }, handshake: false, bare: false },
  { filter: { ports: [{ first: 440, last: 443 }] }, handshake: true, bare: false },
  { filter: { ports: [{ first: 444, last: 49_999 }] }, handshake: false, bare: false },
  {
    filter: { ports: [{ first: 1, last: 1 }, { first: 80, last: 90 }] },
    handshake: false,
    bare: true,
  },
  { filter: { serverPorts: [{ first: 443, last: 443 }] }, handshake: true, bare: false },
  { filter: { serverPorts: [{ first: 50_000, last: 50_000 }] }, handshake: false, bare: false },
  { filter: { notPorts: [{ first: 443, last: 443 }] }, handshake: false, bare: true },
  { filter: { notPorts: [{ first: 50_000, last: 50_000 }] }, handshake: false, bare: false },
  { filter: { notPorts: [{ first: 81, last: 442 }] }, handshake: true, bare: true },
  {
    filter: { notNetworks: networks("192.0.2.2", "10.0.0.0/8").networks },
    handshake: true,
    bare: false,
  },
  { filter: { notNetworks: networks("192.0.2.1").networks }, handshake: false, bare: false },
  { filter: { notNetworks: networks("::/0").networks }, handshake: false, bare: true },
  { filter: { notNetworks: networks("10.0.0.0/8").networks }, handshake: true, bare: true },
  // What is unknown does not fit, and so a filter that begins with `not` lets it pass.
  { filter: { notComms: ["curl"] }, handshake: false, bare: true },
  { filter: { notComms: ["pool-1"] }, handshake: false, bare: true },
  { filter: { notComms: ["x"] }, handshake: true, bare: true },
  { filter: { uids: [33] }, handshake: true, bare: false },
  { filter: { uids: [0, 1] }, handshake: true, bare: false },
  { filter: { uids: [1] }, handshake: false, bare: false },
  { filter: { uids: [] }, handshake: false, bare: false },
  { filter: { cgroups: ["/user.slice"] }, handshake: true, bare: false },
  { filter: { cgroups: ["/x", "/user.slice/user-1000.slice"] }, handshake: true, bare: false },
  { filter: { cgroups: ["/user"] }, handshake: false, bare: false },
  { filter: { cgroups: ["/user.slice/user-1000.slice/x"] }, handshake: false, bare: false },
  { filter: { cgroups: ["/system.slice"] }, handshake: false, bare: false },
  {
    filter: { isMeant: (_, path) => path?.startsWith("/user.slice/") ?? false },
    handshake: true,
    bare: false,
  },
  { filter: { isMeant: () => true }, handshake: true, bare: false },
  { filter: { isMeant: () => false }, handshake: false, bare: false },
  // The whole hierarchy: everything whose path is known.
  { filter: { cgroups: [""] }, handshake: true, bare: false },
  { filter: { reasons: ["ECONNREFUSED"] }, handshake: true, bare: false },
  { filter: { reasons: ["X", "NO_SOCKET"] }, handshake: true, bare: false },
  { filter: { reasons: ["TCP_CSUM"] }, handshake: true, bare: false },
  { filter: { reasons: ["ECONN", "TCP"] }, handshake: false, bare: false },
  { filter: { slowerThan: { leg: "network", ns: 1_999 } }, handshake: true, bare: false },
  { filter: { slowerThan: { leg: "network", ns: 2_000 } }, handshake: false, bare: false },
  { filter: { slowerThan: { leg: "client", ns: 1_999.5 } }, handshake: true, bare: false },
  { filter: { slowerThan: { leg: "server", ns: 29 } }, handshake: true, bare: false },
  { filter: { slowerThan: { leg: "server", ns: 30 } }, handshake: false, bare: false },
  { filter: { slowerThan: { leg: "total", ns: 2_039 } }, handshake: true, bare: false },
  { filter: { slowerThan: { leg: "total", ns: 2_040 } }, handshake: false, bare: false },
  // All parts must fit.
  { filter: { comms: ["curl"], notComms: ["nginx"] }, handshake: false, bare: false },
  {
    filter: { ports: [{ first: 443, last: 443 }], pids: [12], roles: ["client"] },
    handshake: true,
    bare: false,
  },
  {
    filter: { ports: [{ first: 443, last: 443 }], pids: [13], roles: ["client"] },
    handshake: false,
    bare: false,
  },
  {
    filter: { ports: [{ first: 50_000, last: 50_000 }], outcomes: ["established"] },
    handshake: false,
    bare: true,
  },
];

/** Whether a filter lets the record of a handshake pass, of which only what it reads is decoded. */
function passesRecord(filter: HandshakeFilter, handshake: Handshake): boolean {
  const fields = neededFields(readByFilter(filter) ?? []);
  const decoder = new LineDecoder({
    fields,
    filter: { reads: fields, passes: (read, context) => passes(filter, read, context) },
  });
  const line = new TextEncoder().encode(encodeHandshake(handshake, CONTEXT));
  const { kind } = decoder.decode(line, 0, line.length - 1);
  assertEquals(kind, "handshake");
  return !decoder.isHeldBack;
}

for (const { filter, handshake, bare } of CASES) {
  Deno.test(`passes judges a record by ${JSON.stringify(filter)}`, () => {
    assertEquals([passesRecord(filter, HANDSHAKE), passesRecord(filter, BARE)], [handshake, bare]);
  });
  Deno.test(`passes judges by ${JSON.stringify(filter)}`, () => {
    assertEquals([passes(filter, HANDSHAKE, CONTEXT), passes(filter, BARE, CONTEXT)], [
      handshake,
      bare,
    ]);
  });
}

function toBigInt(words: Uint32Array): bigint {
  return words.reduce((sum, word) => sum << 32n | BigInt(word), 0n);
}

const MAPPED = 0xffffn;

/** The rule in one line of arithmetic on 128-bit numbers. */
function holds(network: bigint, bits: number, address: bigint): boolean {
  if (bits < 96 && address >> 32n === MAPPED) return false;
  return network >> BigInt(128 - bits) === address >> BigInt(128 - bits);
}

/** An address and another that differs from it in one bit, or in none. */
function addressPair(ipv4: boolean): fc.Arbitrary<[Uint32Array, Uint32Array]> {
  const width = ipv4 ? 32 : 128;
  const word = fc.oneof(fc.constantFrom(0, 1, 0x80000000, 0xffffffff), fc.nat(0xffffffff));
  const words = ipv4
    ? word.map((last) => Uint32Array.of(0, 0, 0xffff, last))
    : fc.array(word, { minLength: 4, maxLength: 4 }).map((all) => Uint32Array.from(all));
  return fc.tuple(words, fc.integer({ min: -1, max: width - 1 })).map(([first, differing]) => {
    const second = first.slice();
    if (differing >= 0) {
      const bit = 128 - width + differing;
      second[bit >>> 5] = second[bit >>> 5] ^ 1 << 31 - (bit & 31);
    }
    return [first, second];
  });
}

for (
  const { ipv4, boundaries } of [
    { ipv4: true, boundaries: [0, 1, 15, 16, 24, 31, 32] },
    { ipv4: false, boundaries: [0, 1, 31, 32, 33, 63, 64, 65, 95, 96, 97, 127, 128] },
  ]
) {
  Deno.test(`passes compares the first bits of IPv${ipv4 ? 4 : 6} addresses, at either end`, () => {
    const width = ipv4 ? 32 : 128;
    const bits = fc.oneof(fc.constantFrom(...boundaries), fc.integer({ min: 0, max: width }));
    let held = 0;
    fc.assert(
      fc.property(addressPair(ipv4), bits, ([network, address], length) => {
        const text = `${formatAddress(network)}/${length}`;
        // An IPv6 address that happens to be mapped is written as IPv4, with 32 bits at most.
        fc.pre(ipv4 || text.includes(":"));
        const filter = networks(text);
        const oracle = holds(toBigInt(network), length + 128 - width, toBigInt(address));
        if (oracle) held++;
        const elsewhere = ipv4 ? "::1" : "203.0.113.1";
        const there = makeHandshake({
          client: { address: elsewhere, port: 1 },
          server: { address: elsewhere, port: 2 },
        });
        assertEquals(
          passes(filter, there, CONTEXT),
          holds(
            toBigInt(network),
            length + 128 - width,
            toBigInt(there.client.address),
          ),
        );
        there.client.address.set(address);
        const asClient = passes(filter, there, CONTEXT);
        there.client.address.set(there.server.address);
        there.server.address.set(address);
        const asServer = passes(filter, there, CONTEXT);
        assertEquals([asClient, asServer], [oracle, oracle], text);
      }),
      { numRuns: 500 },
    );
    assertEquals(held > 0, true);
  });
}

Deno.test("passes takes what began at a moment or later, and before another", () => {
  const moments: [seconds: number, ns: number][] = [
    [EPOCH_SECONDS - 2, 999_999_999],
    [EPOCH_SECONDS - 1, 0],
    [EPOCH_SECONDS - 1, 999_999_998],
    [EPOCH_SECONDS - 1, 999_999_999],
    [EPOCH_SECONDS, 0],
    [EPOCH_SECONDS + 1, 0],
  ];
  // Its second may be another than that of its axis.
  const handshake = makeHandshake({
    timeNs: -1,
    client: { address: "::1" },
    server: { address: "::1" },
  });
  const judged = moments.map(([seconds, ns]) => {
    const moment = { seconds, ns };
    return [
      passes({ since: moment }, handshake, CONTEXT),
      passes({ until: moment }, handshake, CONTEXT),
    ];
  });
  assertEquals(judged, [
    [true, false],
    [true, false],
    [true, false],
    [true, false],
    [false, true],
    [false, true],
  ]);
});

Deno.test("passes takes no path of a cgroup for one that is not known", () => {
  const context = { host: "web1" };
  assertEquals(passes({ cgroups: [""] }, HANDSHAKE, context), false);
  const gone = { host: "web1", cgroupPath: () => undefined };
  assertEquals(passes({ cgroups: [""] }, HANDSHAKE, gone), false);
});

Deno.test("passes asks for containers by whole names and by the first digits of ids", () => {
  const context = {
    host: "web1",
    container: (cgroup: number) =>
      cgroup === 8231 ? { id: "3f9a".repeat(16), name: "beef" } : undefined,
  };
  const cases: readonly [wanted: string[], has: boolean][] = [
    [["beef"], true],
    [["bee"], false],
    [["3f9a"], true],
    [["3f9a3f9a3"], true],
    [["3f9a".repeat(16)], true],
    [["3f9"], false],
    [["3F9A"], false],
    [["f9a3"], false],
    [["no", "beef"], true],
    [["undefined"], false],
  ];
  for (const [wanted, has] of cases) {
    assertEquals(passes({ containers: wanted }, HANDSHAKE, context), has, wanted.join());
    assertEquals(passes({ notContainers: wanted }, HANDSHAKE, context), !has, wanted.join());
  }
  const nameless = { host: "web1", container: () => ({ id: "0".repeat(64) }) };
  assertEquals(passes({ containers: ["undefined"] }, HANDSHAKE, nameless), false);
  const unknown = { host: "web1", container: () => undefined };
  assertEquals(passes({ containers: ["beef"] }, HANDSHAKE, unknown), false);
  assertEquals(passes({ notContainers: ["beef"] }, HANDSHAKE, { host: "web1" }), true);
});

Deno.test("isSampled keeps its part of numbers in a row and of random ones, the same each time", () => {
  const series = [
    (index: number) => index,
    (index: number) => index * 64_000 >>> 0,
    (index: number) => Math.imul(index, 0x9e3779b1) >>> 0,
  ];
  for (const isnOf of series) {
    for (const oneOf of [1, 2, 10, 100]) {
      const isns = Array.from({ length: 100_000 }, (_, index) => isnOf(index));
      const kept = isns.filter((isn) => isSampled(isn, oneOf));
      const expected = isns.length / oneOf;
      // Five standard deviations of a random choice.
      const slack = 5 * Math.sqrt(expected * (1 - 1 / oneOf));
      assert(Math.abs(kept.length - expected) <= slack, `1/${oneOf}: ${kept.length}`);
      assertEquals(kept, kept.filter((isn) => isSampled(isn, oneOf)));
    }
  }
});

Deno.test("isSampled keeps what has no number, and the filter asks it", () => {
  assertEquals(isSampled(undefined, 1_000_000), true);
  const ends = { client: { address: "192.0.2.1", isn: 1 }, server: { address: "192.0.2.2" } };
  assertEquals(passes({ sample: 1_000_000 }, makeHandshake(ends), CONTEXT), false);
  assertEquals(passes({ sample: 1 }, makeHandshake(ends), CONTEXT), true);
});

/** Random handshakes: every field present or absent, every text hostile. */
import fc from "fast-check";
import type { Process } from "../../../src/kernel/kernel_record.ts";
import {
  type Address,
  DROPPED_PACKETS,
  type Endpoint,
  Handshake,
  HANDSHAKE_FLAGS,
  OUTCOMES,
  ROLES,
} from "../../../src/match/handshake.ts";
import { TUNNEL_NAMES } from "../../../src/wire/tunnel.ts";

const u16 = fc.nat({ max: 0xffff });
const u32 = fc.nat({ max: 0xffffffff });
const flag = fc.boolean();
const durationNs = fc.nat({ max: 2 ** 53 - 1 });
const momentNs = fc.integer({ min: -(2 ** 52), max: 2 ** 52 });

function maybe<T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.option(arbitrary, { nil: undefined });
}

/** Any string of UTF-16 units: controls, lone surrogates and all planes are in it. */
export function anyText(): fc.Arbitrary<string> {
  const units = fc.array(u16, { maxLength: 16 }).map((all) => String.fromCharCode(...all));
  const sharp = fc.constantFrom('"', "\\", "\n", "\x1b", "\x7f", "\u009b", "\u2028", "\ud800", "a");
  return fc.oneof(
    units,
    fc.array(sharp, { maxLength: 16 }).map((all) => all.join("")),
    fc.string({ unit: "binary" }),
    fc.string(),
  );
}

function anyProcess(): fc.Arbitrary<Process> {
  return fc.record({
    pid: u32,
    comm: anyText(),
    uid: u32,
    cgroup: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
    thread: fc.record({ tid: u32, comm: anyText() }, { requiredKeys: ["tid"] }),
    kernel: fc.constant<true>(true),
  }, { requiredKeys: ["pid", "comm", "uid"] });
}

function anyWords(ipv4: boolean): fc.Arbitrary<Uint32Array> {
  const words = fc.array(u32, { minLength: 4, maxLength: 4 });
  return words.map((all) => new Uint32Array(ipv4 ? [0, 0, 0xffff, all[3]] : all));
}

function anyAddress(ipv4: boolean): fc.Arbitrary<Address> {
  return fc.record({ address: anyWords(ipv4), port: u16 });
}

function anyEndpoint(ipv4: boolean): fc.Arbitrary<Endpoint> {
  return fc.record({
    address: anyWords(ipv4),
    port: u16,
    isn: maybe(u32),
    mss: maybe(u16),
    window: maybe(u16),
    windowScale: maybe(fc.nat({ max: 255 })),
    sackPermitted: maybe(flag),
    timestamps: maybe(flag),
    process: maybe(anyProcess()),
  });
}

/** Any handshake that the types allow, its times within 104 days of the axis. */
export function anyHandshake(): fc.Arbitrary<Handshake> {
  const rest = fc.record({
    epochSeconds: u32,
    timeNs: momentNs,
    role: fc.constantFrom(...ROLES),
    outcome: fc.constantFrom(...OUTCOMES),
    reason: maybe(fc.oneof(fc.constantFrom("ETIMEDOUT", "ERRNO_200"), anyText())),
    wire: flag,
    kernel: flag,
    place: fc.nat({ max: 4 }),
    interfaces: fc.array(fc.nat({ max: 4 }), { maxLength: 8 }),
    vlan: maybe(fc.integer({ min: 1, max: 4_095 })),
    tunnels: fc.array(fc.constantFrom(...TUNNEL_NAMES), { maxLength: 4 }),
    netns: maybe(u32),
    ambiguous: flag,
    synCount: u32,
    synAckCount: u32,
    rstCount: u32,
  });
  const durations = fc.record({
    clientRttNs: maybe(durationNs),
    serverRttNs: maybe(durationNs),
    totalNs: maybe(durationNs),
    firstSynToSynAckNs: maybe(durationNs),
    lastSynToSynAckNs: maybe(durationNs),
    firstSynAckToAckNs: maybe(durationNs),
    lastSynAckToAckNs: maybe(durationNs),
    kernelClientRttNs: maybe(durationNs),
    kernelServerRttNs: maybe(durationNs),
  });
  const moments = fc.record({
    connectNs: maybe(momentNs),
    synNs: maybe(momentNs),
    synReceivedNs: maybe(momentNs),
    synAckNs: maybe(momentNs),
    ackNs: maybe(momentNs),
    establishedNs: maybe(momentNs),
    serverEstablishedNs: maybe(momentNs),
    synAckAcknowledgesSyn: maybe(flag),
    ackSequence: maybe(flag),
    ackAcknowledgesSynAck: maybe(flag),
  });
  const kernel = fc.record({
    synSentNs: maybe(momentNs),
    acceptedNs: maybe(momentNs),
    droppedNs: maybe(momentNs),
    resetSentNs: maybe(momentNs),
    resetReason: maybe(anyText()),
  });
  const drop = fc.oneof(
    fc.constant({}),
    fc.record({
      dropCount: u32,
      dropReason: anyText(),
      dropPacket: fc.constantFrom(...DROPPED_PACKETS),
      dropQueue: maybe(fc.record({ length: u32, limit: u32 })),
    }),
  );
  const flags = fc.subarray([...HANDSHAKE_FLAGS]);
  const ends = fc.boolean().chain((ipv4) =>
    fc.record({
      ipv4: fc.constant(ipv4),
      client: anyEndpoint(ipv4),
      server: anyEndpoint(ipv4),
      translated: maybe(fc.record({ client: anyAddress(ipv4), server: anyAddress(ipv4) })),
    })
  );
  return fc.tuple(rest, durations, moments, kernel, drop, ends, flags).map(([...parts]) =>
    Object.assign(new Handshake(), ...parts.slice(0, -1), { flags: parts.at(-1) })
  );
}

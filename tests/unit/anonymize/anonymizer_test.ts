import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Anonymizer } from "../../../src/anonymize/anonymizer.ts";
import { encodeHandshake, toRecord } from "../../../src/record/ndjson.ts";
import { communityId } from "../../../src/record/community_id.ts";
import type { HandshakeRecord } from "../../../src/record/record.ts";
import { parseAddress } from "../../../src/wire/address.ts";
import { sourceOf } from "../pipeline/stand_ins.ts";
import { anyHandshake } from "../record/arbitrary_handshake.ts";
import { roundTrip } from "../record/round_trip.ts";
import { CONTEXT, HANDSHAKES, makeHandshake, WORKED_EXAMPLE } from "../record/sample_handshakes.ts";

const KEY = new Uint8Array(32).fill(9);

function recordOf(anonymizer: Anonymizer, handshake = WORKED_EXAMPLE): HandshakeRecord {
  return toRecord(anonymizer.handshake(handshake), anonymizer.source(sourceOf(CONTEXT)).context);
}

/** A record without what hides. */
function withoutNames({ client, server, network, ...rest }: HandshakeRecord): unknown {
  const of = ({ address: _, process, ...end }: typeof client) => ({
    ...end,
    process: process && { pid: process.pid, cgroup: process.cgroup, kernel: process.kernel },
  });
  const { interface: _, interfaces: __, community_id: ___, translated, ...other } = network;
  const { host: _4, host_id: _5, reason: _6, drop, reset: _7, ...known } = rest;
  const ports = translated && [translated.client.port, translated.server.port];
  const drops = drop && [drop.packet, drop.count, drop.queue_length];
  return { ...known, client: of(client), server: of(server), network: { ...other, ports }, drops };
}

Deno.test("Anonymizer changes who it was, and nothing of how it went", () => {
  const anonymizer = new Anonymizer(KEY);
  for (const handshake of HANDSHAKES) {
    const before = structuredClone(handshake);
    const record = recordOf(anonymizer, handshake);
    assertEquals(withoutNames(record), withoutNames(toRecord(handshake, CONTEXT)));
    assertEquals(structuredClone(handshake), before);
  }
});

/** Texts and addresses that only the real handshake has. */
const SECRETS = {
  addresses: ["203.0.113.77", "198.51.100.66", "192.0.2.55", "192.0.2.44", "198.51.100.33"],
  texts: ["secret-comm", "secret-thread", "secret-reason", "secret-drop", "secret-reset"],
};

Deno.test("Anonymizer leaves no address and no name in the bytes of a record", () => {
  const [client, server, otherClient, otherServer, reporter] = SECRETS.addresses;
  const [comm, thread, reason, dropReason, resetReason] = SECRETS.texts;
  const process = { pid: 7, comm, uid: 31_337, cgroup: 5, thread: { tid: 8, comm: thread } };
  const handshake = makeHandshake({
    client: { address: client, port: 40_000, process },
    server: { address: server, port: 443, process },
    translated: {
      client: { address: parseAddress(otherClient)!, port: 1 },
      server: { address: parseAddress(otherServer)!, port: 2 },
    },
    icmp: { symbol: "ICMP_HOST_UNREACH", reporter: parseAddress(reporter)! },
    place: 2,
    interfaces: [1, 2],
    reason,
    dropReason,
    dropCount: 1,
    resetReason,
    wire: true,
    kernel: true,
  });
  const anonymizer = new Anonymizer(KEY);
  const shown = anonymizer.handshake(handshake);
  const line = encodeHandshake(shown, anonymizer.source(sourceOf(CONTEXT)).context);
  const secrets = [
    ...[...SECRETS.addresses, ...SECRETS.texts, "31337", "web1", "eth0", "shop", "docker"],
    ...["3f9a3f9a", "0123456789ab4def8123456789abcdef"],
    toRecord(handshake, CONTEXT).network.community_id!,
  ];
  for (const secret of secrets) assert(!line.includes(secret), `${secret} in ${line}`);
  assert(shown.icmp!.reporter.join() !== handshake.icmp!.reporter.join());
  // Its flow hash is that of the addresses it shows.
  assertEquals(
    toRecord(shown, CONTEXT).network.community_id,
    communityId(shown.client.address, 40_000, shown.server.address, 443, true).toString(),
  );
});

Deno.test("Anonymizer keeps symbols, and hides what only looks like a reason", () => {
  const anonymizer = new Anonymizer(KEY);
  const reasonOf = (reason: string) =>
    anonymizer.handshake(makeHandshake({
      client: { address: "10.0.0.1" },
      server: { address: "10.0.0.2" },
      reason,
    })).reason!;
  for (const symbol of ["ECONNREFUSED", "ERRNO_200", "ICMPV6_NOROUTE"]) {
    assertEquals(reasonOf(symbol), symbol);
  }
  for (const text of ["", "10.0.0.1", "Econnrefused", "A B", "X".repeat(65)]) {
    assertEquals(/^reason-[0-9a-f]{10}$/.test(reasonOf(text)), true, text);
  }
});

Deno.test("Anonymizer makes records that fit those of another run by the same key, and of no other", () => {
  const [one, same, other] = [KEY, KEY, new Uint8Array(32)].map((key) => new Anonymizer(key));
  for (const handshake of HANDSHAKES) {
    assertEquals(recordOf(one, handshake), recordOf(same, handshake));
    const { address } = recordOf(one, handshake).client;
    // These stay what they are.
    const isNobody = ["::1", "0.0.0.0"].includes(address);
    assertEquals(recordOf(other, handshake).client.address === address, isNobody);
    assert(recordOf(one, handshake).host !== recordOf(other, handshake).host);
  }
  const { host, hostId, tracer } = one.identity(CONTEXT);
  const record = recordOf(one);
  assertEquals([host, hostId, tracer], [record.host, record.host_id, record.tracer]);
  assertEquals(one.identity({ host: "web1" }), { host, hostId: undefined, tracer: undefined });
});

Deno.test("Anonymizer makes records of any handshake, which can be read back", () => {
  const anonymizer = new Anonymizer(KEY);
  const { context } = anonymizer.source(sourceOf(CONTEXT));
  fc.assert(fc.property(anyHandshake(), (handshake) => {
    const shown = anonymizer.handshake(handshake);
    roundTrip(encodeHandshake(shown, context));
    assertEquals(shown.ipv4, handshake.ipv4);
  }));
});

Deno.test("Anonymizer tells status lines of records by other names, and no other lines", () => {
  const anonymizer = new Anonymizer(KEY);
  const { host, host_id: hostId } = recordOf(anonymizer);
  const line = { host: CONTEXT.host, host_id: CONTEXT.hostId, secret: "x" };
  const shown = anonymizer.event("status", line)!;
  assertEquals([shown.host, shown.host_id, "secret" in shown], [host, hostId, false]);
  assertEquals(anonymizer.event("summary", line), undefined);
});

Deno.test("Anonymizer hides interfaces in what a source says of itself", () => {
  const wire = [
    { netns: 1, interface: "eth0", up: true },
    { netns: 2, interface: "lo", up: false },
    { netns: 3, up: true },
  ];
  const real = {
    ...sourceOf(CONTEXT),
    epochSeconds: 7,
    interfaceInFile: () => "eth0@3",
    hidesData: (place: number) => place === 2,
    counters: () => ({
      span: { epochSeconds: 7, startNs: 1, endNs: 2 },
      losses: { ring_packets: 3 },
      undecoded: {},
      delivering: { wire, kernel: "none" as const },
    }),
  };
  const shown = new Anonymizer(KEY).source(real);
  const eth0 = shown.context.interfaceName(2);
  assertEquals([shown.epochSeconds, shown.interfaceInFile(2)], [7, eth0]);
  assertEquals([1, 2].map((place) => shown.hidesData(place)), [false, true]);
  const { delivering, ...counters } = shown.counters(true);
  const { delivering: _, ...expected } = real.counters();
  assertEquals(counters, expected);
  assertEquals(delivering, {
    wire: [{ ...wire[0], interface: eth0! }, wire[1], wire[2]],
    kernel: "none",
  });
});

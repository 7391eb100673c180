import { assert, assertEquals, assertMatch } from "@std/assert";
import fc from "fast-check";
import {
  isSentinelKey,
  type KernelDecoding,
  type KernelEnd,
  type KernelRecord,
  KEY_BYTES,
  type PlaceBoottime,
  readKernelRecord,
  sentinelFits,
  VALUE_BYTES,
} from "../../../src/kernel/kernel_record.ts";
import {
  anyRecord,
  ascii,
  buildBytes,
  CLIENT,
  DROPPED,
  mapped,
  NO_OPTIONS,
  packetRecord,
  type RawPacket,
  type RawRecord,
} from "./build_record.ts";

/** Exact for the small boot times of these tests. */
const place: PlaceBoottime = (high, low) => high * 2 ** 32 + low;

/** The number of a reason for which no packet of a handshake is dropped. */
const COPY = 106;

const decoding: KernelDecoding = {
  placeBoottime: place,
  dropReason: (number) => number === COPY ? undefined : `DROP_${number}`,
  resetReason: (number) => `RESET_${number}`,
};

/** Reads with both views in the midst of larger buffers, as a drained batch has them. */
function read(raw: RawRecord, placeBoottime = place): KernelRecord | undefined {
  const { key, value } = buildBytes(raw);
  const keys = new Uint8Array(8 + 2 * 16).fill(0xee);
  const values = new Uint8Array(24 + 2 * 152).fill(0xee);
  keys.set(key, 8 + 16);
  values.set(value, 24 + 152);
  return readKernelRecord(
    new DataView(keys.buffer, 8),
    16,
    new DataView(values.buffer, 24),
    152,
    { ...decoding, placeBoottime },
  );
}

function readEnd(raw: RawRecord): KernelEnd {
  const record = read(raw);
  assert(record?.kind === "client" || record?.kind === "server");
  return record;
}

function readPacket(raw: Partial<RawPacket>): KernelRecord | undefined {
  return read(packetRecord({ ...DROPPED, ...raw }));
}

Deno.test("KEY_BYTES and VALUE_BYTES are the size of what the scripts write", () => {
  const { key, value } = buildBytes(CLIENT);
  assertEquals([KEY_BYTES, VALUE_BYTES], [key.length, value.length]);
});

Deno.test("readKernelRecord reads every field of an established client", () => {
  assertEquals(read(CLIENT), {
    kind: "client",
    oldState: 2,
    newState: 1,
    local: new Uint32Array([0, 0, 0xffff, 0x0a000001]),
    remote: new Uint32Array([0, 0, 0xffff, 0x0a000002]),
    localPort: 40_000,
    remotePort: 443,
    iss: 0xfedcba98,
    irs: 0x89abcdef,
    connectNs: 4_000_000_456,
    endNs: 5_000_000_123,
    synSentNs: undefined,
    synReceivedNs: undefined,
    listener: undefined,
    devices: undefined,
    synCookie: undefined,
    pid: 4711,
    comm: "curl",
    thread: undefined,
    isKernel: false,
    uid: 1000,
    netns: 0xeffffff9,
    cgroup: 8231,
    rttMinUs: 23,
    retransmits: 3,
    error: 0,
    options: {
      timestamps: true,
      sackPermitted: true,
      windowScale: true,
      peerWindowScale: 4,
      ownWindowScale: 7,
      synData: false,
      synDataAcknowledged: false,
    },
  });
});

Deno.test("readKernelRecord reads every field of a server with IPv6 and a SYN time", () => {
  const record = readEnd({
    ...CLIENT,
    kind: 0,
    oldState: 3,
    connectNs: 0n,
    synReceivedNs: 4_999_000_789n,
    pid: 0,
    comm: new Uint8Array(),
    cgroup: 0x12_0000_0034n,
    local: new Uint8Array([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xee, 0xdd, 0xcc]),
  });
  assertEquals(record.kind, "server");
  assertEquals(record.connectNs, undefined);
  assertEquals(record.synReceivedNs, 4_999_000_789);
  assertEquals([record.pid, record.comm], [0, ""]);
  assertEquals(record.cgroup, 0x12_0000_0034);
  assertEquals(record.local, new Uint32Array([0x20010db8, 0, 0, 0xffeeddcc]));
});

Deno.test("readKernelRecord leaves out what a client that failed cannot know", () => {
  const record = readEnd({
    ...CLIENT,
    newState: 7,
    error: 111,
    irs: 0xffffffff,
    rttMinUs: 0,
  });
  assertEquals(record.newState, 7);
  assertEquals(record.error, 111);
  assertEquals([record.irs, record.rttMinUs, record.options], [undefined, undefined, undefined]);
  assertEquals(record.iss, 0xfedcba98);
});

Deno.test("readKernelRecord keeps a server's peer number where it failed", () => {
  const record = readEnd({ ...CLIENT, kind: 0, oldState: 3, newState: 7 });
  assertEquals(record.irs, 0x89abcdef);
  assertEquals([record.rttMinUs, record.options], [undefined, undefined]);
});

Deno.test("readKernelRecord tells when a client's SYN left, and that of no server", () => {
  const client = readEnd({ ...CLIENT, synReceivedNs: 4_999_000_789n });
  assertEquals([client.synSentNs, client.synReceivedNs], [4_999_000_789, undefined]);
  assertEquals([client.connectNs, client.listener], [4_000_000_456, undefined]);
  // The cookie's bit means nothing on a client.
  assertEquals(readEnd({ ...CLIENT, synReceivedNs: 1n, options: 0x80 }).synCookie, undefined);
});

Deno.test("readKernelRecord tells which listener took a server's SYN, and whether by a cookie", () => {
  const server = { ...CLIENT, kind: 0, oldState: 3 };
  const cases = [
    { word0: 0n, synNs: 0n, options: 0, expected: [undefined, undefined, undefined] },
    { word0: 0n, synNs: 0n, options: 0x80, expected: [undefined, undefined, undefined] },
    { word0: 0n, synNs: 9n, options: 0x7f, expected: [undefined, 9, false] },
    { word0: 5n, synNs: 9n, options: 0x80, expected: [5, 9, true] },
    {
      word0: 0x12_ffff_fff0n,
      synNs: 9n,
      options: 0xff81,
      expected: [0x12_ffff_fff0, 9, true],
    },
  ];
  for (const { word0, synNs, options, expected } of cases) {
    const raw = { ...server, connectNs: word0, synReceivedNs: synNs, options };
    const { listener, synReceivedNs, synCookie, connectNs, synSentNs } = readEnd(raw);
    assertEquals([listener, synReceivedNs, synCookie], expected);
    assertEquals([connectNs, synSentNs], [undefined, undefined]);
  }
});

Deno.test("readKernelRecord reads a listener", () => {
  const raw = {
    ...CLIENT,
    kind: 2,
    oldState: 7,
    newState: 10,
    remotePort: 0,
    local: mapped(0, 0, 0, 0),
    remote: new Uint8Array(16),
    connectNs: 4_294_967_297n,
    family: 9,
  };
  assertEquals(read(raw), {
    kind: "listener",
    oldState: 7,
    newState: 10,
    local: new Uint32Array([0, 0, 0xffff, 0]),
    localPort: 40_000,
    endNs: 5_000_000_123,
    pid: 4711,
    comm: "curl",
    thread: undefined,
    isKernel: false,
    uid: 1000,
    netns: 0xeffffff9,
    cgroup: 8231,
    inode: 4_294_967_297,
    device: 9,
  });
});

Deno.test("readKernelRecord tells the thread of a client, a listener and an accept()", () => {
  for (const kind of [1, 2, 3]) {
    const raw = { tid: 4712, threadComm: ascii("pool-1"), kind };
    const record = read({ ...CLIENT, ...raw });
    assert(record && "thread" in record);
    assertEquals([record.comm, record.thread], ["curl", { tid: 4712, comm: "pool-1" }]);
  }
});

Deno.test("readKernelRecord tells of a server's side which devices its listener may be bound to", () => {
  const server = { ...CLIENT, kind: 0, oldState: 3 };
  assertEquals(readEnd({ ...server, family: 0 }).devices, []);
  assertEquals(readEnd({ ...server, family: 7 }).devices, [7]);
  assertEquals(readEnd(CLIENT).devices, undefined);
});

Deno.test("readKernelRecord reads an accept()", () => {
  const raw = {
    ...CLIENT,
    kind: 3,
    oldState: 0,
    newState: 0,
    connectNs: 0n,
    iss: 0,
    localPort: 443,
    remotePort: 40_000,
    local: mapped(10, 0, 0, 2),
    remote: mapped(10, 0, 0, 1),
    comm: ascii("nginx"),
  };
  assertEquals(read(raw), {
    kind: "accepted",
    local: new Uint32Array([0, 0, 0xffff, 0x0a000002]),
    remote: new Uint32Array([0, 0, 0xffff, 0x0a000001]),
    localPort: 443,
    remotePort: 40_000,
    irs: 0x89abcdef,
    endNs: 5_000_000_123,
    pid: 4711,
    comm: "nginx",
    thread: undefined,
    isKernel: false,
    uid: 1000,
    netns: 0xeffffff9,
    cgroup: 8231,
  });
});

/** What a reader makes of {@link DROPPED}, but for its kind and reason. */
const PACKET = {
  endNs: 5_000_000_777,
  source: new Uint32Array([0, 0, 0xffff, 0x0a000001]),
  destination: new Uint32Array([0, 0, 0xffff, 0x0a000002]),
  sourcePort: 40_000,
  destinationPort: 443,
  flags: 0x02,
  sequence: 0xfedcba98,
  acknowledgment: 0x11223344,
};

Deno.test("readKernelRecord reads a dropped packet, and why by the kernel's own numbers", () => {
  assertEquals(readPacket({}), { kind: "dropped", ...PACKET, reason: "DROP_65543" });
  assertEquals(readPacket({ reason: 0xffffffff }), {
    kind: "dropped",
    ...PACKET,
    reason: "DROP_4294967295",
  });
  assertEquals(readPacket({ reason: COPY }), undefined);
});

Deno.test("readKernelRecord reads a packet that was answered with a RST", () => {
  assertEquals(readPacket({ kind: 5, flags: 0x12, reason: 3 }), {
    kind: "reset",
    ...PACKET,
    flags: 0x12,
    reason: "RESET_3",
  });
});

Deno.test("readKernelRecord reads a SYN that a listener refused, and its full queue", () => {
  const cases = [
    { reason: 0, queue: [0, 0], expected: { reason: "LISTEN_DROP" } },
    {
      reason: 1,
      queue: [129, 128],
      expected: { reason: "ACCEPT_QUEUE_FULL", queue: { length: 129, limit: 128 } },
    },
    {
      // listen(0) has a limit, too.
      reason: 1,
      queue: [1, 0],
      expected: { reason: "ACCEPT_QUEUE_FULL", queue: { length: 1, limit: 0 } },
    },
    {
      reason: 2,
      queue: [0xffffffff, 4096],
      expected: { reason: "SYN_QUEUE_FULL", queue: { length: 0xffffffff, limit: 4096 } },
    },
    { reason: 3, queue: [1, 2], expected: { reason: "LISTEN_DROP" } },
    { reason: 0xffffffff, queue: [1, 2], expected: { reason: "LISTEN_DROP" } },
  ];
  for (const { reason, queue: [queueLength, queueLimit], expected } of cases) {
    assertEquals(
      readPacket({ kind: 6, netns: 0xeffffff9, reason, queueLength, queueLimit }),
      { kind: "dropped", ...PACKET, netns: 0xeffffff9, listener: undefined, ...expected },
    );
  }
  const raw = packetRecord({ ...DROPPED, kind: 6, netns: 7, reason: 0 });
  const refused = read({ ...raw, connectNs: 31_337n });
  assert(refused?.kind === "dropped");
  assertEquals(refused.listener, 31_337);
});

Deno.test("readKernelRecord takes of IPv4 addresses the last four bytes, whatever stands before", () => {
  const bytes = new Uint8Array(16).map((_, index) => 0xa0 + index);
  const whole = new Uint32Array([0xa0a1a2a3, 0xa4a5a6a7, 0xa8a9aaab, 0xacadaeaf]);
  const last = new Uint32Array([0, 0, 0xffff, 0xacadaeaf]);
  for (const kind of [4, 5, 6]) {
    for (const [family, expected] of [[2, last], [10, whole]] as const) {
      const record = readPacket({ kind, family, source: bytes, destination: bytes });
      assert(record?.kind === "dropped" || record?.kind === "reset");
      assertEquals([record.source, record.destination], [expected, expected], `${kind} ${family}`);
    }
  }
  const accepted = read({ ...CLIENT, kind: 3, family: 2, local: bytes, remote: bytes });
  assert(accepted?.kind === "accepted");
  assertEquals([accepted.local, accepted.remote], [last, last]);
  // Tracepoints give IPv4-mapped addresses, and a listener on :: may be named by a socket of IPv4.
  assertEquals(readEnd({ ...CLIENT, local: bytes }).local, whole);
});

Deno.test("readKernelRecord finds what bind() gave an IPv4 socket where function probes have it", () => {
  const nothing = new Uint8Array(16);
  const bound = new Uint32Array([0, 0, 0xffff, 0x7f000001]);
  // As bytes in memory: the word is little endian.
  const client = { ...CLIENT, local: nothing, boundIpv4: 0x0100007f };
  assertEquals(readEnd(client).local, bound);
  assertEquals(readEnd({ ...client, boundIpv4: 0 }).local, new Uint32Array(4));
  // Linux gives a client of IPv6 such an address, too: 127.0.0.6.
  const local = mapped(10, 0, 0, 1);
  assertEquals(
    readEnd({ ...client, local, boundIpv4: 0x0600007f }).local,
    new Uint32Array([0, 0, 0xffff, 0x0a000001]),
  );
  const listener = { ...client, kind: 2 };
  const cases: [options: number, boundIpv4: number, expected: Uint32Array][] = [
    [2, 0x0100007f, bound],
    // On 0.0.0.0, which is not ::.
    [2, 0, new Uint32Array([0, 0, 0xffff, 0])],
    [10, 0, new Uint32Array(4)],
    [0, 0, new Uint32Array(4)],
  ];
  for (const [options, boundIpv4, expected] of cases) {
    const record = read({ ...listener, options, boundIpv4 });
    assert(record?.kind === "listener");
    assertEquals(record.local, expected);
  }
});

Deno.test("readKernelRecord tells no RTT sample from a short one", () => {
  const cases = [
    { rttMinUs: 0xffffffff, expected: undefined },
    { rttMinUs: 0xfffffffe, expected: 0xfffffffe },
    { rttMinUs: 1, expected: 1 },
    { rttMinUs: 0, expected: 0 },
  ];
  for (const { rttMinUs, expected } of cases) {
    assertEquals(readEnd({ ...CLIENT, rttMinUs }).rttMinUs, expected, String(rttMinUs));
  }
});

Deno.test("readKernelRecord reads each option bit alone", () => {
  const cases = [
    { options: 0, expected: NO_OPTIONS },
    { options: 0x01, expected: { ...NO_OPTIONS, timestamps: true } },
    { options: 0x02, expected: { ...NO_OPTIONS, sackPermitted: true } },
    // The upper bits of sack_ok say that a D-SACK was seen, not that SACK is permitted.
    { options: 0x0c, expected: NO_OPTIONS },
    { options: 0x10, expected: { ...NO_OPTIONS, windowScale: true } },
    { options: 0x20, expected: { ...NO_OPTIONS, synData: true } },
    { options: 0x40, expected: { ...NO_OPTIONS, synDataAcknowledged: true } },
    { options: 0x0e00, expected: { ...NO_OPTIONS, peerWindowScale: 14 } },
    { options: 0xe000, expected: { ...NO_OPTIONS, ownWindowScale: 14 } },
  ];
  for (const { options, expected } of cases) {
    assertEquals(readEnd({ ...CLIENT, options }).options, expected, options.toString(16));
  }
});

Deno.test("readKernelRecord refuses a kind it does not know", () => {
  for (const kind of [7, 8, 127, 255]) assertEquals(read({ ...CLIENT, kind }), undefined);
});

Deno.test("readKernelRecord hands over times beyond 2^53 without loss", () => {
  const base = 2n ** 63n;
  const fromBase: PlaceBoottime = (high, low) => Number((BigInt(high) << 32n | BigInt(low)) - base);
  const raw = {
    ...CLIENT,
    connectNs: base - 7n,
    synReceivedNs: base + 1n,
    endNs: base + 4_294_967_301n,
  };
  const record = read(raw, fromBase);
  assert(record?.kind === "client");
  assertEquals([record.connectNs, record.synSentNs, record.endNs], [-7, 1, 4_294_967_301]);
});

Deno.test("readKernelRecord takes a time with one empty half for a time", () => {
  assertEquals(readEnd({ ...CLIENT, connectNs: 2n ** 32n }).connectNs, 2 ** 32);
  assertEquals(readEnd({ ...CLIENT, connectNs: 1n }).connectNs, 1);
});

Deno.test("readKernelRecord reads any comm", () => {
  const cases: { input: Uint8Array; expected: string }[] = [
    { input: new Uint8Array(), expected: "" },
    { input: ascii("sixteen-bytes-ab"), expected: "sixteen-bytes-ab" },
    { input: ascii("a\0b"), expected: "a" },
    { input: ascii("two\nlines"), expected: "two\nlines" },
    { input: ascii("\x1b[31mred"), expected: "\x1b[31mred" },
    { input: ascii("a|b"), expected: "a|b" },
    { input: ascii("für 東京"), expected: "für 東京" },
    { input: ascii("\ufeffbom"), expected: "\ufeffbom" },
    { input: new Uint8Array([0xff, 0x61, 0xc3]), expected: "\ufffda\ufffd" },
  ];
  for (const { input, expected } of cases) {
    assertEquals(readEnd({ ...CLIENT, comm: input }).comm, expected);
  }
});

Deno.test("readKernelRecord gives back whatever numbers were written", () => {
  fc.assert(fc.property(anyRecord(1), (raw) => {
    const record = readEnd(raw);
    assertEquals(record.kind, ["server", "client"][raw.kind]);
    assertEquals(
      [record.pid, record.uid, record.netns, record.retransmits, record.error, record.iss],
      [raw.task < 2 ? raw.pid : 0, raw.uid, raw.netns, raw.retransmits, raw.error, raw.iss],
    );
    assertEquals(
      [record.oldState, record.newState, record.localPort, record.remotePort],
      [raw.oldState, raw.newState, raw.localPort, raw.remotePort],
    );
    assertEquals(
      record.cgroup,
      Number(raw.cgroup >> 32n) * 2 ** 32 + Number(raw.cgroup % 2n ** 32n),
    );
    assertEquals(bytesOf(record.local), raw.local);
    assertEquals(bytesOf(record.remote), raw.remote);
  }));
});

Deno.test("readKernelRecord gives back whatever a packet held", () => {
  const u16 = fc.nat({ max: 0xffff });
  const u32 = fc.nat({ max: 0xffffffff });
  const packet = fc.record({
    kind: fc.constantFrom(4, 5, 6),
    destinationPort: u16,
    sourcePort: u16,
    flags: fc.nat({ max: 0xff }),
    acknowledgment: u32,
    sequence: u32,
    reason: u32,
  });
  fc.assert(fc.property(packet, (raw) => {
    const record = readPacket(raw);
    assert(record?.kind === "dropped" || record?.kind === "reset");
    const { destinationPort, sourcePort, flags, acknowledgment, sequence } = record;
    assertEquals(
      [destinationPort, sourcePort, flags, acknowledgment, sequence],
      [raw.destinationPort, raw.sourcePort, raw.flags, raw.acknowledgment, raw.sequence],
    );
    if (raw.kind < 6) assert(record.reason.endsWith(`_${raw.reason}`));
  }));
});

Deno.test("readKernelRecord reads any bytes, and none of an unknown kind", () => {
  const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
  const kind = fc.oneof(fc.nat({ max: 6 }), fc.nat({ max: 255 }));
  const kinds = ["server", "client", "listener", "accepted", "dropped", "reset", "dropped"];
  fc.assert(
    fc.property(bytes(16), bytes(152), kind, (key, value, kind) => {
      value[32] = kind;
      const views = [key, value].map(({ buffer }) => new DataView(buffer));
      const record = readKernelRecord(views[0], 0, views[1], 0, decoding);
      assertEquals(record?.kind, kinds[kind]);
      if (record === undefined) return;
      assert(Number.isFinite(record.endNs));
      if ("reason" in record) assertMatch(record.reason, /^[A-Z]+_[A-Z0-9_]+$/);
      else assert(record.comm.length <= 16);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("isSentinelKey wants all of the key 0", () => {
  const keys = new DataView(new ArrayBuffer(32));
  assert(isSentinelKey(keys, 0));
  for (let byte = 16; byte < 32; byte++) {
    keys.setUint8(byte, 1);
    assert(!isSentinelKey(keys, 16), `byte ${byte - 16}`);
    assert(isSentinelKey(keys, 0));
    keys.setUint8(byte, 0);
  }
});

/** What the script's BEGIN writes: ten words of known bytes, a time, null addresses, its comm. */
function buildSentinel(): Uint8Array {
  const bytes = new Uint8Array(152);
  for (let word = 0; word < 10; word++) bytes.fill(word + 1, word * 8, word * 8 + 8);
  new DataView(bytes.buffer).setBigUint64(80, 897_123_456_789n, true);
  bytes.set(ascii("bpftrace"), 120);
  bytes.set(ascii("bpftrace"), 136);
  return bytes;
}

Deno.test("sentinelFits accepts what the scripts write at start", () => {
  const bytes = new Uint8Array(8 + 152).fill(0xee);
  bytes.set(buildSentinel(), 8);
  assert(sentinelFits(new DataView(bytes.buffer), 8, "bpftrace"));
  assert(sentinelFits(new DataView(bytes.buffer, 8), 0, "bpftrace"));
});

Deno.test("sentinelFits refuses every wrong byte but those of the time and behind the comm", () => {
  const open: number[] = [];
  for (let at = 0; at < 136; at++) {
    const bytes = buildSentinel();
    bytes[at] ^= 0x40;
    if (sentinelFits(new DataView(bytes.buffer), 0, "bpftrace")) open.push(at);
  }
  assertEquals(open, [80, 81, 82, 83, 84, 85, 86, 87, 129, 130, 131, 132, 133, 134, 135]);
});

Deno.test("sentinelFits refuses every other layout", () => {
  const sentinel = buildSentinel();
  const shifted = (by: number) => {
    const bytes = new Uint8Array(152);
    bytes.set(sentinel.subarray(0, 136 - by), by);
    return bytes;
  };
  const swapped = sentinel.slice();
  swapped.set(sentinel.subarray(0, 8), 8);
  swapped.set(sentinel.subarray(8, 16), 0);
  for (const bytes of [new Uint8Array(152), shifted(4), shifted(8), swapped]) {
    assert(!sentinelFits(new DataView(bytes.buffer), 0, "bpftrace"));
  }
});

function bytesOf(words: Uint32Array): Uint8Array {
  const view = new DataView(new ArrayBuffer(16));
  words.forEach((word, index) => view.setUint32(index * 4, word));
  return new Uint8Array(view.buffer);
}

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { parseKernelLine } from "../../../src/kernel/kernel_line.ts";
import {
  type KernelDecoding,
  type KernelEnd,
  type KernelListener,
  type KernelRecord,
  readKernelRecord,
} from "../../../src/kernel/kernel_record.ts";
import { TcpState } from "../../../src/kernel/tcp_state.ts";
import {
  anyRecord,
  ascii,
  buildBytes,
  buildLine,
  CLIENT,
  DROPPED,
  packetRecord,
  type RawRecord,
} from "./build_record.ts";

const decoding: KernelDecoding = {
  placeBoottime: (high, low) => high * 2 ** 32 + low,
  dropReason: (number) => `DROP_${number}`,
  resetReason: (number) => `RESET_${number}`,
};
const LOOPBACK = new Uint32Array([0, 0, 0xffff, 0x7f000001]);

function readBytes(raw: RawRecord): KernelRecord {
  const { key, value } = buildBytes(raw);
  const views = [new DataView(key.buffer), new DataView(value.buffer)] as const;
  const record = readKernelRecord(views[0], 0, views[1], 0, decoding);
  assert(record !== undefined);
  return record;
}

// Lines of bpftrace 0.17 on Linux 6.18: both sides of a connection on loopback, a connection that
// was refused, a listen().
Deno.test("parseKernelLine reads the client side of a real handshake", () => {
  const line = "K3|ffff888105a60940|d122a4c1f5|d122a19595|170000000000|effffff900000002|1|" +
    "8fd4a97f00020101|3f8656389a1b9cd2|b800000017|0|0|7fe50000aa13|0|" +
    "::ffff:127.0.0.1|::ffff:127.0.0.1|python3";
  assertEquals(parseKernelLine(line, decoding), {
    type: "record",
    cpu: 3,
    record: {
      kind: "client",
      oldState: TcpState.SynSent,
      newState: TcpState.Established,
      local: LOOPBACK,
      remote: LOOPBACK,
      localPort: 36820,
      remotePort: 43391,
      iss: 0x3f865638,
      irs: 0x9a1b9cd2,
      connectNs: 0xd122a19595,
      endNs: 0xd122a4c1f5,
      synSentNs: undefined,
      synReceivedNs: undefined,
      listener: undefined,
      devices: undefined,
      synCookie: undefined,
      pid: 5888,
      comm: "python3",
      thread: undefined,
      isKernel: false,
      uid: 0,
      netns: 0xeffffff9,
      cgroup: 1,
      rttMinUs: 23,
      retransmits: 0,
      error: 0,
      options: {
        timestamps: true,
        sackPermitted: true,
        windowScale: true,
        peerWindowScale: 10,
        ownWindowScale: 10,
        synData: false,
        synDataAcknowledged: false,
      },
    },
  });
});

Deno.test("parseKernelLine reads the server side of a real handshake", () => {
  const line = "K3|ffff888105a640c0|d122a54c7f|0|0|effffff900000002|1|a97f8fd400030100|" +
    "9a1b9cd23f865638|1600000002c|0|0|80000000aa13|0|" +
    "::ffff:127.0.0.1|::ffff:127.0.0.1|";
  const parsed = parseKernelLine(line, decoding);
  assertEquals(parsed.type, "record");
  const { record } = parsed as { record: KernelEnd };
  assertEquals(record.kind, "server");
  assertEquals([record.oldState, record.newState], [TcpState.SynReceived, TcpState.Established]);
  assertEquals([record.localPort, record.remotePort], [43391, 36820]);
  assertEquals([record.iss, record.irs], [0x9a1b9cd2, 0x3f865638]);
  assertEquals([record.connectNs, record.endNs], [undefined, 0xd122a54c7f]);
  assertEquals([record.pid, record.comm, record.rttMinUs], [0, "", 44]);
});

Deno.test("parseKernelLine reads a real refused connection", () => {
  const line = "K3|ffff888105a640c0|d122a9f0f7|d122a9ac5c|170000000000|effffff900000002|1|" +
    "8fdca97f00020701|72c1bfcbffffffff|ffffffff|6f0000|0|20c0000a000|0|" +
    "::ffff:127.0.0.1|::ffff:127.0.0.1|python3";
  const { record } = parseKernelLine(line, decoding) as { record: KernelEnd };
  assertEquals(record.kind, "client");
  assertEquals([record.oldState, record.newState], [TcpState.SynSent, TcpState.Close]);
  assertEquals(record.error, 111);
  assertEquals([record.localPort, record.remotePort], [36828, 43391]);
  assertEquals([record.iss, record.irs, record.rttMinUs], [0x72c1bfcb, undefined, undefined]);
  assertEquals([record.options, record.pid], [undefined, 5888]);
});

Deno.test("parseKernelLine reads a real listen()", () => {
  const line = "K3|ffff888105a60000|d12289bc8d|0|170000000000|effffff900000002|1|" +
    "a97f000000070a02|0|0|0|0|0|0|::ffff:127.0.0.1|::ffff:0.0.0.0|python3";
  const { record } = parseKernelLine(line, decoding) as { record: KernelListener };
  assertEquals(record.kind, "listener");
  assertEquals([record.oldState, record.newState], [TcpState.Close, TcpState.Listen]);
  assertEquals([record.localPort, record.pid], [43391, 5888]);
  assertEquals(record.local, LOOPBACK);
});

Deno.test("parseKernelLine reads what tells of a packet, whose comm means nothing", () => {
  const raw = packetRecord({ ...DROPPED, kind: 6, netns: 7, reason: 1, queueLength: 2 });
  assertEquals(parseKernelLine(buildLine(raw), decoding), {
    type: "record",
    cpu: 3,
    record: {
      kind: "dropped",
      endNs: 5_000_000_777,
      source: new Uint32Array([0, 0, 0xffff, 0x0a000001]),
      destination: new Uint32Array([0, 0, 0xffff, 0x0a000002]),
      sourcePort: 40_000,
      destinationPort: 443,
      flags: 0x02,
      sequence: 0xfedcba98,
      acknowledgment: 0x11223344,
      reason: "ACCEPT_QUEUE_FULL",
      queue: { length: 2, limit: 0 },
      netns: 7,
      listener: undefined,
    },
  });
});

Deno.test("parseKernelLine and readKernelRecord agree on every record", () => {
  fc.assert(
    fc.property(anyRecord(), (any) => {
      // A thread's name is not in a line.
      const raw = { ...any, threadComm: new Uint8Array() };
      assertEquals(parseKernelLine(buildLine(raw), decoding), {
        type: "record",
        cpu: 3,
        record: readBytes(raw),
      });
    }),
    { numRuns: 500 },
  );
});

Deno.test("parseKernelLine and readKernelRecord agree on a comm that is no UTF-8", () => {
  const raw = { ...CLIENT, comm: new Uint8Array(15).fill(0xff) };
  const { record } = parseKernelLine(buildLine(raw), decoding) as { record: KernelEnd };
  assertEquals(record.comm, "\ufffd".repeat(15));
  assertEquals(record, readBytes(raw));
});

Deno.test("parseKernelLine keeps nothing of the line before", () => {
  parseKernelLine(buildLine({ ...CLIENT, comm: ascii("a-longer-comm") }), decoding);
  const { record } = parseKernelLine(buildLine({ ...CLIENT, comm: ascii("sh") }), decoding) as {
    record: KernelEnd;
  };
  assertEquals(record.comm, "sh");
});

Deno.test("parseKernelLine takes separators in a comm for part of it", () => {
  for (const comm of ["|", "a|b|c", "|||", "K1|2", " "]) {
    const { record } = parseKernelLine(buildLine({ ...CLIENT, comm: ascii(comm) }), decoding) as {
      record: KernelEnd;
    };
    assertEquals(record.comm, comm);
  }
});

Deno.test("parseKernelLine keeps the record before a newline in a comm and refuses the rest", () => {
  const line = buildLine({ ...CLIENT, comm: ascii("a\nK1|2|3|4") });
  const [first, second] = line.split("\n");
  const { record } = parseKernelLine(first, decoding) as { record: KernelEnd };
  assertEquals(record.comm, "a");
  assertEquals(parseKernelLine(second, decoding), { type: "other", text: "K1|2|3|4" });
});

Deno.test("parseKernelLine lets no comm begin or end the trace or forge a record", () => {
  // A comm has 15 bytes, and 14 are left after a newline.
  const starts = ["ready|1|", "end|1|", "K3|", "Lost ", ""];
  const rest = fc.array(fc.constantFrom("1", "9", "0", "|", " ", "e"), { maxLength: 14 });
  fc.assert(fc.property(fc.constantFrom(...starts), rest, (start, end) => {
    const line = (start + end.join("")).slice(0, 14);
    assertEquals(parseKernelLine(line, decoding), { type: "other", text: line });
  }));
});

Deno.test("parseKernelLine reads the lines that are no records", () => {
  const cases = [
    { input: "ready|1|897123456789", expected: { type: "ready" } },
    { input: "ready|1|100000000", expected: { type: "ready" } },
    { input: "end|1|897123456789", expected: { type: "end" } },
    { input: "Lost 1 events", expected: { type: "lost", count: 1 } },
    { input: "Lost 40960 events", expected: { type: "lost", count: 40_960 } },
    { input: "@written: 305", expected: { type: "written", count: 305 } },
  ];
  for (const { input, expected } of cases) {
    assertEquals(parseKernelLine(input, decoding), expected as ReturnType<typeof parseKernelLine>);
  }
});

Deno.test("parseKernelLine leaves every other line alone", () => {
  const fields = buildLine(CLIENT).split("|");
  const replaced = (index: number, field: string) => fields.with(index, field).join("|");
  const cases = [
    "",
    "K",
    "K3",
    "K|1|2",
    "K100000|1|2",
    "K3|",
    "Attaching 3 probes...",
    "ready",
    "ready|2|897123456789",
    "ready|1|",
    "ready|1|12345678",
    "ready|1|897123456789 ",
    " ready|1|897123456789",
    "end|1|1",
    "end|1|x97123456789",
    "Lost events",
    "Lost -1 events",
    "Lost 1 events ",
    "lost 1 events",
    // Without the comm's separator, and cut in the midst.
    fields.slice(0, -1).join("|"),
    fields.slice(0, 12).join("|"),
    // Too large for its word, no number, none at all, not as %llx writes it.
    replaced(1, "1ffff888105a60940"),
    replaced(3, "x"),
    replaced(5, ""),
    replaced(7, "-1"),
    replaced(8, "0x1"),
    replaced(9, "AB"),
    replaced(10, " 1"),
    replaced(13, "1\r"),
    replaced(14, "1ffffffff"),
    replaced(14, "::1::"),
    replaced(15, "127.0.0"),
    "@written:",
    "@written: -1",
    "@writtenx: 1",
    `k${buildLine(CLIENT).slice(1)}`,
    ` ${buildLine(CLIENT)}`,
  ];
  for (const input of cases) {
    assertEquals(parseKernelLine(input, decoding), { type: "other", text: input });
  }
});

Deno.test("parseKernelLine counts a record of a kind that is not known, which tells nothing", () => {
  const line = buildLine(CLIENT).split("|").with(7, "9c4001bb00020107").join("|");
  assertEquals(parseKernelLine(line, decoding), { type: "record", record: undefined, cpu: 3 });
});

Deno.test("parseKernelLine never throws", () => {
  const types = new Set(["ready", "end", "record", "written", "lost", "other"]);
  const piece = fc.constantFrom("K3|", "|", "0", "ffffffff", "ready|1|", "Lost ", " events", "\n");
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 300 }),
    fc.array(piece, { maxLength: 60 }).map((pieces) => pieces.join("")),
    fc.array(fc.oneof(fc.constant("0"), fc.string({ maxLength: 20 })), {
      minLength: 20,
      maxLength: 24,
    }).map((fields) => ["K3", ...fields].join("|")),
  );
  fc.assert(
    fc.property(text, (line) => {
      const parsed = parseKernelLine(line, decoding);
      assertEquals(types.has(parsed.type), true);
      if (parsed.type === "other") assertEquals(parsed.text, line);
    }),
    { numRuns: 2000 },
  );
});

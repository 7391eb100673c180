import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import type { Handshake } from "../../../src/match/handshake.ts";
import { ByteText } from "../../../src/text/byte_text.ts";
import { chooseFields } from "../../../src/record/choose_fields.ts";
import type { Field } from "../../../src/record/field.ts";
import { FIELDS } from "../../../src/record/fields.ts";
import {
  encodeHandshake,
  RecordEncoder,
  toRecord,
  writeHandshake,
} from "../../../src/record/ndjson.ts";
import { anyHandshake } from "./arbitrary_handshake.ts";
import {
  CONTEXT,
  FILE_CONTEXT,
  HANDSHAKES,
  HOSTILE_COMM,
  makeHandshake,
  WORKED_EXAMPLE,
  WORKED_RECORD,
} from "./sample_handshakes.ts";

const EMPTY_ENDS = { client: { address: "10.0.0.1" }, server: { address: "10.0.0.2" } };

function parse(handshake: Handshake): Record<string, Record<string, unknown>> {
  return JSON.parse(encodeHandshake(handshake, CONTEXT));
}

Deno.test("encodeHandshake writes the worked example as the contract has it", () => {
  assertEquals(encodeHandshake(WORKED_EXAMPLE, CONTEXT), JSON.stringify(WORKED_RECORD) + "\n");
});

Deno.test("encodeHandshake leaves out what is unknown, and levels with nothing in them", () => {
  const line = encodeHandshake(makeHandshake({ ...EMPTY_ENDS, wire: true }), FILE_CONTEXT);
  assertEquals(JSON.parse(line), {
    v: 1,
    event: "handshake",
    time: "2026-11-23T01:02:03.000000000Z",
    host: "web1",
    role: "observer",
    outcome: "unanswered",
    reason: null,
    evidence: ["wire"],
    network: { type: "ipv4", community_id: "1:CjNPP3Zn05ZloAyaNq3bu4jULMA=" },
    client: { address: "10.0.0.1", port: 0 },
    server: { address: "10.0.0.2", port: 0 },
    rtt: { ambiguous: false },
    packets: { syn: 0, syn_ack: 0, rst: 0 },
    flags: [],
  });
});

Deno.test("encodeHandshake gives a flow hash to who sent a SYN, from port 0 too, seen by the kernel alone", () => {
  const [client, server] = [{ address: "10.0.0.1", port: 0 }, { address: "10.0.0.2", port: 443 }];
  const idOf = (isn: number | undefined) =>
    parse(makeHandshake({ client: { ...client, isn }, server, kernel: true })).network.community_id;
  assertEquals(idOf(7), "1:kSrdrB5+6ALEApJ6ksk2YuxYCqk=");
  assertEquals(idOf(undefined), undefined);
});

Deno.test("encodeHandshake tells zero and false from unknown", () => {
  const record = parse(makeHandshake({
    client: { address: "10.0.0.1", isn: 0, windowScale: 0, timestamps: false },
    server: { address: "10.0.0.2", window: 0 },
    clientRttNs: 0,
    synNs: 0,
    ackSequence: false,
  }));
  assertEquals(record.client, {
    address: "10.0.0.1",
    port: 0,
    isn: 0,
    window_scale: 0,
    timestamps: false,
  });
  assertEquals(record.server, { address: "10.0.0.2", port: 0, window: 0 });
  assertEquals(record.rtt, { client_ns: 0, ambiguous: false });
  assertEquals(record.times, { syn_ns: 0 });
  assertEquals(record.checks, { ack_sequence: false });
});

Deno.test("encodeHandshake takes each duration, moment and check from its own place", () => {
  const record = parse(makeHandshake({
    ...EMPTY_ENDS,
    clientRttNs: 1,
    serverRttNs: 2,
    totalNs: 3,
    ambiguous: true,
    firstSynToSynAckNs: 4,
    lastSynToSynAckNs: 5,
    firstSynAckToAckNs: 6,
    lastSynAckToAckNs: 7,
    kernelClientRttNs: 8,
    kernelServerRttNs: 9,
    synCount: 10,
    synAckCount: 11,
    rstCount: 12,
    connectNs: 13,
    synNs: 14,
    synReceivedNs: 15,
    synAckNs: 16,
    ackNs: 17,
    establishedNs: 18,
    serverEstablishedNs: 19,
    synAckAcknowledgesSyn: true,
    ackSequence: false,
    ackAcknowledgesSynAck: true,
  }));
  assertEquals(record.rtt, {
    client_ns: 1,
    server_ns: 2,
    total_ns: 3,
    ambiguous: true,
    first_syn_to_syn_ack_ns: 4,
    last_syn_to_syn_ack_ns: 5,
    first_syn_ack_to_ack_ns: 6,
    last_syn_ack_to_ack_ns: 7,
    kernel_client_ns: 8,
    kernel_server_ns: 9,
  });
  assertEquals(record.packets, { syn: 10, syn_ack: 11, rst: 12 });
  assertEquals(record.times, {
    connect_ns: 13,
    syn_ns: 14,
    syn_received_ns: 15,
    syn_ack_ns: 16,
    ack_ns: 17,
    established_ns: 18,
    server_established_ns: 19,
  });
  assertEquals(record.checks, {
    syn_ack_acknowledges_syn: true,
    ack_sequence: false,
    ack_acknowledges_syn_ack: true,
  });
});

Deno.test("encodeHandshake keeps 19 digits of a time and writes no number that a double cannot", () => {
  const handshake = makeHandshake({ ...EMPTY_ENDS, timeNs: 2 ** 53 - 1, netns: 2 ** 32 - 1 });
  handshake.client.process = { pid: 1, comm: "sh", uid: 0, cgroup: Number.MAX_SAFE_INTEGER };
  const line = encodeHandshake(handshake, CONTEXT);
  // 1795395723 s + 9007199254740991 ns: beyond 2^53 as one number of nanoseconds.
  assertStringIncludes(line, '"time":"2027-03-07T07:02:02.254740991Z"');
  assertStringIncludes(line, '"cgroup":9007199254740991');
  assert(!/[:[,]\d{17,}/.test(line));
});

Deno.test("encodeHandshake writes one line that acts on no terminal, whatever the names", () => {
  const handshake = makeHandshake(EMPTY_ENDS);
  handshake.client.process = { pid: 1, comm: HOSTILE_COMM, uid: 0, cgroup: 1 };
  const line = encodeHandshake(handshake, {
    host: HOSTILE_COMM,
    interfaceName: () => HOSTILE_COMM,
    cgroupPath: () => HOSTILE_COMM,
    container: () => ({ id: HOSTILE_COMM, name: HOSTILE_COMM }),
  });
  assertMatch(line, /^[\x20-\x7e]*\n$/);
  const record = JSON.parse(line);
  const { comm, cgroup_path, container: { id, name } } = record.client.process;
  assertEquals(
    [record.host, record.network.interface, comm, cgroup_path, id, name],
    Array(6).fill(HOSTILE_COMM),
  );
});

Deno.test("encodeHandshake writes one line of JSON of any handshake", () => {
  fc.assert(fc.property(anyHandshake(), (handshake) => {
    const line = encodeHandshake(handshake, CONTEXT);
    assertEquals(line.indexOf("\n"), line.length - 1);
    // deno-lint-ignore no-control-regex -- a control character is what must not be there
    assert(!/[\x00-\x1f\x7f-\x9f\u2028\u2029\u202e]/.test(line.slice(0, -1)));
    const numbers: number[] = [];
    JSON.parse(line, (_, value) => {
      if (typeof value === "number") numbers.push(value);
      return value;
    });
    assert(numbers.every(Number.isSafeInteger));
  }));
});

/** The record as the table of fields has it, made without haste. */
function plainRecord(handshake: Handshake): Record<string, unknown> {
  const record: Record<string, unknown> = {};
  for (const { path, get } of FIELDS) {
    const value = get(handshake, CONTEXT);
    if (value === undefined) continue;
    const names = path.split(".");
    const last = names.pop()!;
    let level = record;
    for (const name of names) level = (level[name] ??= {}) as Record<string, unknown>;
    level[last] = value instanceof ByteText ? String(value) : value;
  }
  return record;
}

/** Its line. */
function plainLine(handshake: Handshake): string {
  return JSON.stringify(plainRecord(handshake)).replace(
    /[\p{C}\p{Zl}\p{Zp}]/gu,
    (character) =>
      character.split("").map((unit) => "\\u" + unit.charCodeAt(0).toString(16).padStart(4, "0"))
        .join(""),
  ) + "\n";
}

Deno.test("encodeHandshake writes the plain encoding of any record, byte for byte", () => {
  for (const handshake of HANDSHAKES) {
    assertEquals(encodeHandshake(handshake, CONTEXT), plainLine(handshake));
  }
  fc.assert(fc.property(anyHandshake(), (handshake) => {
    assertEquals(encodeHandshake(handshake, CONTEXT), plainLine(handshake));
  }));
});

Deno.test("writeHandshake appends line after line", () => {
  fc.assert(fc.property(fc.array(anyHandshake(), { maxLength: 20 }), (handshakes) => {
    const lines = new ByteText(0);
    for (const handshake of handshakes) writeHandshake(lines, handshake, CONTEXT);
    assertEquals(lines.toString(), handshakes.map(plainLine).join(""));
  }));
});

Deno.test("toRecord makes the object that the line holds", () => {
  fc.assert(fc.property(anyHandshake(), (handshake) => {
    assertEquals<unknown>(toRecord(handshake, CONTEXT), plainRecord(handshake));
  }));
});

Deno.test("toRecord keeps nothing of the handshake, which is filled anew", () => {
  const handshake = makeHandshake({ ...EMPTY_ENDS, wire: true, flags: ["ecn"] });
  handshake.client.process = { pid: 1, comm: "sh", uid: 0, cgroup: 1 };
  const record = toRecord(handshake, CONTEXT);
  const before = structuredClone(record);
  handshake.flags.length = 0;
  handshake.client.address.fill(7);
  handshake.client.process.pid = 2;
  assertEquals(record, before);
  record.evidence.push("kernel");
  assertEquals(toRecord(makeHandshake({ ...EMPTY_ENDS, wire: true }), CONTEXT).evidence, ["wire"]);
});

Deno.test("encodeHandshake writes each field of the table in some sample", () => {
  const seen = new Set<string>();
  const visit = (value: unknown, path: string) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) seen.add(path);
    else for (const [name, inner] of Object.entries(value)) visit(inner, `${path}.${name}`);
  };
  for (const handshake of HANDSHAKES) visit(parse(handshake), "");
  assertEquals([...seen].sort(), FIELDS.map(({ path }) => `.${path}`).sort());
});

Deno.test("RecordEncoder writes the fields that were chosen, with the values of the whole record", () => {
  const names = ["v", "event", "outcome", "client", "rtt.client_ns"];
  const encoder = new RecordEncoder(chooseFields(names) as Field[]);
  for (const handshake of HANDSHAKES) {
    const lines = new ByteText();
    encoder.write(lines, handshake, CONTEXT);
    const record: Record<string, unknown> = JSON.parse(lines.toString());
    const whole = toRecord(handshake, CONTEXT);
    const { v, event, outcome, client, rtt } = whole;
    const clientNs = rtt?.client_ns;
    assertEquals(record, {
      v,
      event,
      outcome,
      client,
      ...(clientNs === undefined ? {} : { rtt: { client_ns: clientNs } }),
    });
  }
});

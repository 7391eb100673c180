import { assertEquals } from "@std/assert";
import {
  acceptsHeld,
  acknowledgesIsn,
  acknowledgesSyn,
  acknowledgesSynAck,
  fitsAckSequence,
  isFromServer,
  provesThird,
  takeServerSegment,
} from "../../../src/match/acceptance.ts";
import { Mark, WireFact } from "../../../src/match/facts.ts";
import { FlowKey } from "../../../src/match/flow_key.ts";
import { FlowState, FlowTable } from "../../../src/match/flow_table.ts";
import { Segment, TcpFlag } from "../../../src/wire/segment.ts";
import { end, fillSegment } from "./traffic.ts";

const CLIENT = end("192.0.2.1", 50000);
const SERVER = end("198.51.100.2", 443);
const { Syn, SynAck, Ack, OtherServerIsn, FastOpen } = WireFact;

/** A table whose row 0 is an attempt with an initial sequence number. */
function tableOf(isn: number): FlowTable {
  const table = new FlowTable(8);
  table.insert(new FlowKey(CLIENT.address, SERVER.address, 1), isn, FlowState.SynSent, 0);
  return table;
}

Deno.test("acknowledgesSyn and fitsAckSequence hold for ISN + 1 and the data that was sent", () => {
  const cases = [
    { isn: 10, data: 0, good: [11], bad: [10, 12, 9] },
    { isn: 0xffffffff, data: 0, good: [0], bad: [0xffffffff, 1] },
    { isn: 0xfffffff0, data: 100, good: [0xfffffff1, 0, 0x55], bad: [0xfffffff0, 0x56] },
  ];
  for (const { isn, data, good, bad } of cases) {
    const table = tableOf(isn);
    table.facts[0] = Syn;
    table.synPayloadLength[0] = data;
    for (const fits of [acknowledgesSyn, fitsAckSequence]) {
      assertEquals(good.map((number) => fits(table, 0, number)), good.map(() => true));
      assertEquals(bad.map((number) => fits(table, 0, number)), bad.map(() => false));
    }
  }
});

Deno.test("acknowledgesSynAck holds for the first and the other number of the server", () => {
  const table = tableOf(1);
  table.facts[0] = SynAck;
  table.serverIsn[0] = 0xffffffff;
  table.otherServerIsn[0] = 50;
  table.serverSent[0] = table.otherSent[0] = 1;
  assertEquals([0, 51].map((ack) => acknowledgesSynAck(table, 0, ack)), [true, false]);
  table.facts[0] |= OtherServerIsn;
  assertEquals([0, 51, 52].map((ack) => acknowledgesSynAck(table, 0, ack)), [true, true, false]);
});

Deno.test("acknowledgesIsn allows what the server sent, or can have sent unseen", () => {
  const table = tableOf(1);
  table.serverIsn[0] = 10;
  table.serverSent[0] = 1;
  const fits = (...acks: number[]) => acks.map((ack) => acknowledgesIsn(table, 0, false, ack));
  assertEquals(fits(10, 11, 12), [false, true, false]);
  table.serverSent[0] = 101;
  assertEquals(fits(10, 11, 111, 112), [false, true, true, false]);
  table.marks[0] = Mark.DataHidden;
  assertEquals(fits(10, 11, 10 + 65_536, 11 + 65_536), [false, true, true, false]);
  table.facts[0] = Syn;
  table.clientWindow[0] = 500;
  assertEquals(fits(10, 511, 512), [false, true, false]);
  // What was seen to be sent all the same counts whatever the window was.
  table.serverSent[0] = 601;
  assertEquals(fits(10, 611, 612), [false, true, false]);
  table.facts[0] = FastOpen;
  assertEquals(fits(10, 11, 10 + (1 << 20), 11 + (1 << 20)), [false, true, true, false]);
});

/** A table with a SYN-ACK of 0xffffffff, and a segment of that server. */
function afterSynAck() {
  const table = tableOf(10);
  table.facts[0] = SynAck;
  table.serverIsn[0] = 0xffffffff;
  table.serverSent[0] = 1;
  const take = (sequence: number, payloadLength: number, flags: number = TcpFlag.ACK) => {
    const packet = { from: SERVER, to: CLIENT, flags, sequence, payloadLength };
    return takeServerSegment(table, 0, fillSegment(packet, new Segment()));
  };
  return { table, take };
}

Deno.test("takeServerSegment takes how far the server is, its FIN included, modulo 2^32", () => {
  const { table, take } = afterSynAck();
  assertEquals([take(0, 85), table.serverSent[0]], [true, 86]);
  assertEquals([take(85, 0, TcpFlag.ACK | TcpFlag.FIN), table.serverSent[0]], [true, 87]);
  // Sent again, or out of the client's first window: it goes no further.
  assertEquals([take(0, 10), table.serverSent[0]], [true, 87]);
  assertEquals([take(0xffffffff, 500), table.serverSent[0]], [false, 87]);
  assertEquals([take(70_000, 1), table.serverSent[0]], [false, 87]);
  assertEquals([0, 86, 87, 0xffffffff].map((sequence) => isFromServer(table, 0, sequence)), [
    true,
    true,
    false,
    false,
  ]);
});

Deno.test("takeServerSegment takes what follows the server's other number apart", () => {
  const { table, take } = afterSynAck();
  table.facts[0] |= OtherServerIsn;
  table.otherServerIsn[0] = 1_000_000;
  table.otherSent[0] = 1;
  assertEquals([take(1_000_001, 7), table.serverSent[0], table.otherSent[0]], [true, 1, 8]);
  assertEquals(isFromServer(table, 0, 1_000_008), true);
});

Deno.test("provesThird wants more acknowledged than the SYN and its data", () => {
  const table = tableOf(0xfffffff0);
  assertEquals([0xfffffff1, 0xfffffff2, 0x50].map((ack) => provesThird(table, 0, ack)), [
    false,
    true,
    true,
  ]);
  table.facts[0] = Syn;
  table.synPayloadLength[0] = 100;
  assertEquals([0x55, 0x56, 0xfffffff0].map((ack) => provesThird(table, 0, ack)), [
    false,
    true,
    false,
  ]);
});

Deno.test("acceptsHeld takes a held ACK once it is known what it acknowledges, and only once", () => {
  const { table, take } = afterSynAck();
  assertEquals(acceptsHeld(table, 0), false);
  table.marks[0] = Mark.AckHeld;
  table.heldAck[0] = 85;
  assertEquals(acceptsHeld(table, 0), false);
  take(0, 85);
  assertEquals(acceptsHeld(table, 0), true);
  table.facts[0] |= Ack;
  assertEquals(acceptsHeld(table, 0), false);
});

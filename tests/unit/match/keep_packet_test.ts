import { assertEquals } from "@std/assert";
import { WireFact } from "../../../src/match/facts.ts";
import { FlowKey } from "../../../src/match/flow_key.ts";
import { FlowState, FlowTable } from "../../../src/match/flow_table.ts";
import { keepSyn, keepSynAck } from "../../../src/match/keep_packet.ts";
import { Segment, TcpFlag } from "../../../src/wire/segment.ts";
import { end, fillSegment, type Packet } from "./traffic.ts";

const CLIENT = end("192.0.2.1", 50000);
const SERVER = end("198.51.100.2", 443);

/** Keeps a packet in a row that already has a fact of another packet. */
function kept(packet: Packet, keep: typeof keepSyn): FlowTable {
  const table = new FlowTable(1);
  const row = table.insert(new FlowKey(CLIENT.address, SERVER.address, 1), 2, FlowState.SynSent, 0);
  table.facts[row] = WireFact.WrongAckAck;
  keep(table, row, fillSegment(packet, new Segment()), 77, 3);
  return table;
}

const PACKET = { from: CLIENT, to: SERVER, sequence: 9, window: 64240, mss: 1460, windowScale: 7 };
const { Syn, SynAck, WrongAckAck } = WireFact;

Deno.test("keepSyn keeps the first SYN's facts, numbers and time", () => {
  const table = kept({ ...PACKET, flags: TcpFlag.SYN, timestamps: [5, 0] }, keepSyn);
  assertEquals(table.facts[0], WrongAckAck | Syn | WireFact.SynTimestamps);
  assertEquals([table.syns[0], table.synsBeforeAnswer[0]], [1, 1]);
  assertEquals([table.firstSynNs[0], table.lastSynNs[0]], [77, 77]);
  assertEquals(table.lastSynTimestamp[0], 5);
  assertEquals([table.clientMss[0], table.clientWindow[0]], [1460, 64240]);
  assertEquals([table.clientWindowScale[0], table.synPlace[0]], [7, 3]);
});

Deno.test("keepSynAck keeps the first SYN-ACK's facts, numbers and time", () => {
  const flags = TcpFlag.SYN | TcpFlag.ACK;
  const table = kept({ ...PACKET, flags, timestamps: [5, 4] }, keepSynAck);
  assertEquals(table.facts[0], WrongAckAck | SynAck | WireFact.SynAckTimestamps);
  assertEquals([table.synAcks[0], table.synAcksBeforeAck[0]], [1, 1]);
  assertEquals([table.serverIsn[0], table.synAckEcho[0]], [9, 4]);
  assertEquals([table.firstSynAckNs[0], table.lastSynAckNs[0]], [77, 77]);
  assertEquals(table.lastSynAckTimestamp[0], 5);
  assertEquals([table.serverMss[0], table.serverWindow[0]], [1460, 64240]);
  assertEquals([table.serverWindowScale[0], table.synAckPlace[0]], [7, 3]);
});

Deno.test("keepSyn and keepSynAck tell each option alone", () => {
  const syn = { ...PACKET, flags: TcpFlag.SYN };
  const synAck = { ...PACKET, flags: TcpFlag.SYN | TcpFlag.ACK };
  const cases: { fields: Partial<Packet>; inSyn: number; inSynAck: number }[] = [
    { fields: {}, inSyn: 0, inSynAck: 0 },
    {
      fields: { sackPermitted: true },
      inSyn: WireFact.SynSackPermitted,
      inSynAck: WireFact.SynAckSackPermitted,
    },
    {
      fields: { fastOpenCookieLength: 0 },
      inSyn: WireFact.FastOpen,
      inSynAck: WireFact.FastOpen,
    },
    { fields: { payloadLength: 1 }, inSyn: WireFact.FastOpen, inSynAck: 0 },
    {
      fields: { optionsCut: true },
      inSyn: WireFact.SynOptionsCut,
      inSynAck: WireFact.SynAckOptionsCut,
    },
    { fields: { mptcpSubtype: 0 }, inSyn: WireFact.Mptcp, inSynAck: WireFact.Mptcp },
  ];
  for (const { fields, inSyn, inSynAck } of cases) {
    const name = JSON.stringify(fields);
    assertEquals(kept({ ...syn, ...fields }, keepSyn).facts[0], WrongAckAck | Syn | inSyn, name);
    assertEquals(
      kept({ ...synAck, ...fields }, keepSynAck).facts[0],
      WrongAckAck | SynAck | inSynAck,
      name,
    );
  }
});

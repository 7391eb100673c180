import { assertEquals } from "@std/assert";
import {
  ATTEMPTS_PER_TUPLE,
  awaitedSynAck,
  awaitsAck,
  awaitsSynAck,
  beganFirst,
  findAnswered,
  findAttempt,
  findAttemptAt,
  findBegun,
  findCrowding,
  findJoined,
  findOpen,
  findRefused,
  findReset,
  findSimultaneous,
  isCrowded,
  isOpen,
  isServerReset,
  REFUSAL_SLACK_NS,
} from "../../../src/match/find_attempt.ts";
import { Mark, WireFact } from "../../../src/match/facts.ts";
import { FlowKey } from "../../../src/match/flow_key.ts";
import { FlowState, FlowTable } from "../../../src/match/flow_table.ts";
import { Segment, TcpFlag } from "../../../src/wire/segment.ts";
import { end, fillSegment, Play, plus } from "./traffic.ts";

const CLIENT = end("192.0.2.1", 50000);
const SERVER = end("198.51.100.2", 443);
const KEY = new FlowKey().set(CLIENT.address, CLIENT.port, SERVER.address, SERVER.port);
const BACK = new FlowKey().set(SERVER.address, SERVER.port, CLIENT.address, CLIENT.port);
const { Syn, SynAck, Ack, ServerReset, ClientReset, OtherServerIsn, FastOpen } = WireFact;

/** A table with one row for each of some initial sequence numbers on one tuple. */
function tableOf(...isns: number[]): FlowTable {
  const table = new FlowTable(8);
  for (const isn of isns) {
    table.insert(KEY, isn, FlowState.SynSent, 0);
  }
  return table;
}

Deno.test("findAttempt finds the row with this client's number among those on a tuple", () => {
  const table = tableOf(10, 20, 10);
  const find = (isn: number, key = KEY) => findAttempt(table, key, isn);
  assertEquals([find(10), find(20), find(30)], [2, 1, -1]);
  const other = new FlowKey(KEY.client, KEY.server, KEY.ports + 1);
  assertEquals([find(10, BACK), find(10, other)], [-1, -1]);
});

Deno.test("findAnswered finds the newest row whose SYN's window holds the Ack", () => {
  const table = tableOf(10, 0xffffffff, 20);
  table.facts[0] = Syn;
  table.synPayloadLength[0] = 100;
  // Left over from a row before: without the SYN it means nothing.
  table.synPayloadLength[2] = 100;
  const find = (acknowledgment: number) => findAnswered(table, KEY, acknowledgment);
  assertEquals([11, 21, 0, 111, 112, 10].map(find), [0, 2, 1, 0, -1, -1]);
  assertEquals(find(22), 0);
});

Deno.test("isOpen, awaitsSynAck and awaitsAck tell what can still come", () => {
  const cases = [
    { facts: 0, expected: [true, true, false] },
    { facts: Syn, expected: [true, true, false] },
    { facts: Syn | SynAck, expected: [true, false, true] },
    { facts: Syn | SynAck | Ack, expected: [false, false, false] },
    { facts: Syn | ServerReset, expected: [false, false, false] },
    // A RST before the SYN-ACK ended nothing, as that one shows; a RST after it may have.
    { facts: SynAck | ClientReset, expected: [false, false, true] },
    { facts: SynAck | ClientReset, marks: Mark.AnswerReset, expected: [false, false, false] },
    { facts: Syn | SynAck, marks: Mark.Proven, expected: [false, false, false] },
    { facts: Syn, reported: true, expected: [false, false, false] },
  ];
  for (const { facts, marks = 0, reported, expected } of cases) {
    const table = tableOf(1);
    table.facts[0] = facts;
    table.marks[0] = marks;
    if (reported) table.move(0, FlowState.Reported, 0);
    assertEquals([isOpen, awaitsSynAck, awaitsAck].map((is) => is(table, 0)), expected);
  }
});

Deno.test("isServerReset wants the SYN acknowledged, after the SYN-ACK the server's next number", () => {
  const cases = [
    { facts: Syn, flags: TcpFlag.RST | TcpFlag.ACK, sequence: 0, ack: 11, expected: true },
    { facts: Syn, flags: TcpFlag.RST | TcpFlag.ACK, sequence: 0, ack: 10, expected: false },
    { facts: Syn, flags: TcpFlag.RST, sequence: 0, ack: 11, expected: false },
    { facts: SynAck, flags: TcpFlag.RST, sequence: 101, ack: 0, expected: true },
    { facts: SynAck, flags: TcpFlag.RST, sequence: 201, ack: 0, expected: false },
    { facts: SynAck | OtherServerIsn, flags: TcpFlag.RST, sequence: 201, ack: 0, expected: true },
    { facts: SynAck | Ack, flags: TcpFlag.RST, sequence: 101, ack: 0, expected: false },
  ];
  for (const { facts, flags, sequence, ack: acknowledgment, expected } of cases) {
    const table = tableOf(10);
    table.facts[0] = facts;
    table.serverIsn[0] = 100;
    table.otherServerIsn[0] = 200;
    table.serverSent[0] = table.otherSent[0] = 1;
    const packet = { from: SERVER, to: CLIENT, flags, sequence, acknowledgment };
    assertEquals(isServerReset(table, 0, fillSegment(packet, new Segment())), expected);
  }
});

Deno.test("findReset finds the handshake of the packet that was answered with a RST", () => {
  const play = new Play(CLIENT, SERVER, 0xffffffff, 100);
  const acks = [play.ackReset(0), play.ackReset(0, { acknowledgment: 900 })];
  const cases = [
    { reset: play.synReset(0), facts: Syn, expected: 0 },
    { reset: play.synReset(0, { sequence: 5 }), facts: Syn, expected: -1 },
    { reset: play.synAckReset(0), facts: Syn, expected: 0 },
    { reset: play.synAckReset(0, { acknowledgment: 1 }), facts: Syn, expected: -1 },
    { reset: acks[0], facts: Syn | SynAck, expected: 0 },
    { reset: acks[0], facts: Syn | SynAck | Ack, expected: 0 },
    { reset: play.ackReset(0, { sequence: 1 }), facts: Syn | SynAck, expected: -1 },
    // A wrong Ack is why the third packet is answered so; after the third it is a later packet's.
    { reset: acks[1], facts: Syn | SynAck, expected: 0 },
    { reset: acks[1], facts: Syn | SynAck | Ack, expected: -1 },
    // Not the other way round.
    { reset: new Play(SERVER, CLIENT, play.x, play.y).synReset(0), facts: Syn, expected: -1 },
  ];
  for (const { reset, facts, expected } of cases) {
    const table = tableOf(play.x);
    table.facts[0] = facts;
    table.serverIsn[0] = play.y;
    table.serverSent[0] = 1;
    assertEquals(findReset(table, reset.record), expected, JSON.stringify(reset.record.flags));
  }
});

/** Two attempts with one number: the first refused at 50, the second with a SYN at 100. */
function refusedOnce(): FlowTable {
  const table = tableOf(10, 10);
  table.facts.set([Syn | ServerReset, Syn]);
  table.firstSynNs.set([40, 100]);
  table.refusedNs[0] = 50;
  table.synPlace.fill(1);
  return table;
}

Deno.test("findAttemptAt finds of attempts with one number that in whose time a record falls", () => {
  const find = (table: FlowTable, timeNs: number, sinceNs: number, isn = 10) =>
    findAttemptAt(table, KEY, isn, timeNs, sinceNs);
  const cases = [
    { name: "before all", timeNs: 1, sinceNs: 1, expected: 0 },
    { name: "first", timeNs: 45, sinceNs: 45, expected: 0 },
    { name: "at its RST", timeNs: 50, sinceNs: 50, expected: 0 },
    { name: "after its RST, of before it", timeNs: 51, sinceNs: 45, expected: 0 },
    { name: "between the two", timeNs: 51, sinceNs: 51, expected: 1 },
    { name: "second", timeNs: 100, sinceNs: 45, expected: 1 },
  ];
  for (const { name, timeNs, sinceNs, expected } of cases) {
    assertEquals(find(refusedOnce(), timeNs, sinceNs), expected, name);
  }
  assertEquals(find(refusedOnce(), 45, 45, 11), -1);
  const kinds = [
    { facts: Syn | ServerReset, later: -1 },
    { facts: 0, later: -1 },
    // The RST was not captured, so it did not leave; or a SYN-ACK came after it.
    { facts: Syn, later: 0 },
    { facts: Syn | ServerReset | SynAck, later: 0 },
  ];
  for (const { facts, later } of kinds) {
    const table = tableOf(10);
    table.facts[0] = facts;
    table.refusedNs[0] = 50;
    assertEquals([find(table, 50, 50), find(table, 51, 51)], [0, later], `${facts}`);
  }
});

Deno.test("findBegun begins an attempt with the SYN that was refused, at its place alone", () => {
  const play = new Play(CLIENT, SERVER, 10, 0);
  const find = (table: FlowTable, timeNs: number, place: number) => {
    const event = play.syn(timeNs);
    if (!("packet" in event)) throw new Error("Cannot find it: no packet");
    return findBegun(table, KEY, fillSegment(event.packet, new Segment()), timeNs, place);
  };
  const refused = refusedOnce();
  refused.remove(1);
  assertEquals([find(refused, 60, 1), find(refused, 60, 2)], [-1, 0]);
  refused.facts[0] |= SynAck;
  assertEquals(find(refused, 60, 1), 0);
  // The kernel told of the second: the SYN of the first is known by its time.
  const told = refusedOnce();
  told.facts[1] = 0;
  assertEquals([50, 51].map((timeNs) => find(told, timeNs, 2)), [0, 1]);
  told.facts[0] = 0;
  const slack = 50 + REFUSAL_SLACK_NS;
  assertEquals([slack, slack + 1].map((timeNs) => find(told, timeNs, 2)), [0, 1]);
  assertEquals(find(tableOf(11), 0, 1), -1);
});

Deno.test("findRefused prefers a SYN that was captured, and knows a copy of the RST", () => {
  const packet = {
    from: SERVER,
    to: CLIENT,
    flags: TcpFlag.RST | TcpFlag.ACK,
    sequence: 0,
    acknowledgment: 11,
  };
  const cases = [
    { facts: [Syn, Syn], expected: 1 },
    { facts: [Syn, 0], expected: 0 },
    { facts: [0, 0], expected: 0 },
    { facts: [Syn | ServerReset, 0], expected: 0 },
    { facts: [ServerReset, 0], expected: 0 },
    { facts: [0, Syn | ServerReset], expected: 1 },
    { facts: [Syn | ServerReset, Syn], expected: 1 },
    { facts: [Syn | ServerReset, Syn | ServerReset], expected: -1 },
  ];
  for (const { facts, expected } of cases) {
    const table = tableOf(10, 10);
    table.facts.set(facts);
    assertEquals(findRefused(table, KEY, fillSegment(packet, new Segment())), expected, `${facts}`);
  }
});

Deno.test("findAnswered leaves out what was refused before the kernel's SYN-ACK", () => {
  const find = (timeNs?: number) => findAnswered(refusedOnce(), KEY, 11, timeNs);
  assertEquals([find(), find(60)], [1, 1]);
  const table = refusedOnce();
  table.remove(1);
  const found = [undefined, 50, 51].map((timeNs) => findAnswered(table, KEY, 11, timeNs));
  assertEquals(found, [0, 0, -1]);
});

Deno.test("findSimultaneous finds the SYN-ACK's sender's own attempt, findJoined its record's", () => {
  const { SimultaneousSyn } = WireFact;
  // The client's attempt is row 0, the server's is row 1; the client's SYN-ACK answers the server.
  const cases: { facts: number; serverIsn?: number; state?: FlowState; found: number }[] = [
    { facts: Syn, found: 0 },
    { facts: 0, found: -1 },
    { facts: Syn | SynAck, found: -1 },
    { facts: Syn | ServerReset, found: -1 },
    { facts: Syn | ClientReset, found: -1 },
    { facts: Syn, state: FlowState.Reported, found: -1 },
    { facts: Syn | SynAck | SimultaneousSyn, serverIsn: 20, found: 0 },
    { facts: Syn | SynAck | SimultaneousSyn, serverIsn: 30, found: -1 },
  ];
  for (const { facts, serverIsn = 0, state = FlowState.SynSent, found } of cases) {
    const table = tableOf(10);
    table.insert(BACK, 20, FlowState.SynSent, 0);
    table.facts[0] = facts;
    table.serverIsn[0] = serverIsn;
    table.move(0, state, 0);
    assertEquals(findSimultaneous(table, 1, KEY, 10), found, `${facts}`);
    assertEquals(findSimultaneous(table, 0, KEY, 10), -1, "itself");
    const { record } = new Play(SERVER, CLIENT, 20, 10).clientKernel(0);
    const isJoined = found === 0 && (facts & SimultaneousSyn) !== 0;
    assertEquals(findJoined(table, record), isJoined ? 0 : -1, `${facts}`);
    table.serverKernel[0] = record;
    assertEquals(findJoined(table, record), -1);
  }
});

Deno.test("beganFirst goes by the first SYNs, of those that are not reported", () => {
  const table = tableOf(1, 2);
  table.facts.fill(Syn);
  table.firstSynNs.set([5, 6]);
  assertEquals([beganFirst(table, 0, 1), beganFirst(table, 1, 0)], [true, false]);
  table.facts[0] = 0;
  assertEquals(beganFirst(table, 0, 1), false);
  table.facts[0] = Syn;
  table.move(0, FlowState.Reported, 0);
  assertEquals(beganFirst(table, 0, 1), false);
});

Deno.test("findOpen looks at every attempt on a tuple", () => {
  const table = tableOf(1, 2);
  const newestOpen = () => findOpen(table, KEY);
  table.facts[1] = ServerReset;
  assertEquals(newestOpen(), 0);
  table.facts[0] = Ack;
  assertEquals(newestOpen(), -1);
});

Deno.test("awaitedSynAck knows when it was still to come", () => {
  const table = tableOf(1);
  assertEquals(awaitedSynAck(table, 0, 0), true);
  table.facts[0] = Syn | SynAck | Ack;
  table.firstSynNs[0] = 5;
  table.firstSynAckNs[0] = 9;
  assertEquals([4, 5, 8, 9].map((timeNs) => awaitedSynAck(table, 0, timeNs)), [
    false,
    true,
    true,
    false,
  ]);
});

Deno.test("findReset takes a third ACK behind the data of the SYN", () => {
  const table = tableOf(10);
  table.facts[0] = Syn | SynAck | FastOpen;
  table.synPayloadLength[0] = 100;
  const play = new Play(CLIENT, SERVER, 10, 100);
  const find = (octets: number) =>
    findReset(table, play.ackReset(0, { sequence: plus(10, octets) }).record);
  assertEquals([0, 1, 101, 102].map(find), [-1, 0, 0, -1]);
});

const CROWD_NEIGHBOR = new FlowKey(KEY.client, KEY.server, KEY.ports + 1);

/** A table where one tuple has as many attempts as may be, of some states; the others were answered. */
function crowd(states: Record<number, FlowState>, count = ATTEMPTS_PER_TUPLE): FlowTable {
  const table = new FlowTable(200);
  for (let isn = 0; isn < count; isn++) {
    table.insert(KEY, isn, states[isn] ?? FlowState.Answered, 0);
    table.insert(CROWD_NEIGHBOR, isn, FlowState.Reported, 0);
  }
  return table;
}

Deno.test("findCrowding gives up the oldest that was reported, else a SYN from between", () => {
  const { Reported, SynSent } = FlowState;
  const all = Object.fromEntries(Array.from({ length: 64 }, (_, isn) => [isn, SynSent]));
  const cases: [name: string, states: Record<number, FlowState>, isn: number][] = [
    ["nothing else", {}, 0],
    ["one reported", { 40: Reported, 7: SynSent }, 40],
    ["two reported", { 40: Reported, 41: Reported }, 40],
    ["one SYN", { 60: SynSent }, 60],
    ["SYNs alone: neither the first nor the last", all, 32],
  ];
  for (const [name, states, isn] of cases) {
    const table = crowd(states);
    assertEquals(table.clientIsn[findCrowding(table, KEY)], isn, name);
    assertEquals(isCrowded(table, KEY), true);
  }
});

Deno.test("findCrowding gives up nothing where there is room", () => {
  const table = crowd({ 3: FlowState.Reported }, ATTEMPTS_PER_TUPLE - 1);
  assertEquals([findCrowding(table, KEY), isCrowded(table, KEY)], [-1, false]);
});

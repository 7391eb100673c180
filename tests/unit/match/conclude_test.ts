import { assertEquals } from "@std/assert";
import type { KernelAccept, KernelDrop, KernelEnd } from "../../../src/kernel/kernel_record.ts";
import { conclude, type HostContext } from "../../../src/match/conclude.ts";
import { addDrop } from "../../../src/match/drops.ts";
import { WireFact } from "../../../src/match/facts.ts";
import { FlowKey } from "../../../src/match/flow_key.ts";
import { FlowState, FlowTable } from "../../../src/match/flow_table.ts";
import { Handshake, type HandshakeFlag, type Outcome } from "../../../src/match/handshake.ts";
import { end, type HalfFields, Play, type Snapshot, snapshot } from "./traffic.ts";

const PLAY = new Play(end("192.0.2.1", 50000), end("198.51.100.2", 443), 1000, 5000);
const { Syn, SynAck, Ack, ServerReset, ClientReset, SynOptionsCut, SynAckOptionsCut } = WireFact;

/** What a row of the table holds. */
interface Row {
  facts?: number;
  client?: HalfFields;
  server?: HalfFields;
  accept?: Partial<KernelAccept>;
  drops?: KernelDrop[];
  reset?: string;
  /** Columns by name. */
  columns?: Partial<Record<keyof FlowTable, number>>;
  play?: Play;
  traceEnded?: boolean;
  hostContext?: HostContext;
}

/** Concludes a table's only row. */
function concluded(row: Row, into = new Handshake()): Snapshot {
  const { facts = 0, client, server, columns = {}, play = PLAY } = row;
  const table = new FlowTable(1);
  const { client: from, server: to } = play;
  const key = new FlowKey().set(from.address, from.port, to.address, to.port);
  table.insert(key, play.x, FlowState.SynSent, 0);
  table.facts[0] = facts;
  table.serverIsn[0] = play.y;
  table.clientMss[0] = table.serverMss[0] = -1;
  table.clientWindowScale[0] = table.serverWindowScale[0] = -1;
  table.syns[0] = table.synsBeforeAnswer[0] = (facts & Syn) !== 0 ? 1 : 0;
  table.synAcks[0] = table.synAcksBeforeAck[0] = (facts & SynAck) !== 0 ? 1 : 0;
  for (const [column, value] of Object.entries(columns)) {
    (table[column as keyof FlowTable] as unknown as number[])[0] = value;
  }
  table.clientKernel[0] = client && PLAY.clientKernel(900, client).record;
  table.serverKernel[0] = server && PLAY.serverKernel(950, server).record;
  table.accept[0] = row.accept && PLAY.accept(980, row.accept).record;
  for (const record of row.drops ?? []) table.drops[0] = addDrop(table.drops[0], record);
  if (row.reset) table.reset[0] = PLAY.synReset(990, { reason: row.reset }).record;
  conclude(table, 0, row.hostContext ?? {}, row.traceEnded ?? false, into);
  return snapshot(into);
}

const CLOSED = { newState: 7 };
const SYN_DROP = PLAY.synDrop(300).record;
const CLOSED_PORT_DROP = PLAY.synDrop(300, { reason: "NO_SOCKET" }).record;
const QUEUE_DROP = PLAY.queueDrop(200).record;
const SYN_ACK_DROP = PLAY.synAckDrop(400, { reason: "SOCKET_FILTER" }).record;

Deno.test("conclude tells the outcome and its reason", () => {
  const cases: (Row & { outcome: Outcome; reason?: string })[] = [
    { facts: Syn, outcome: "unanswered" },
    { facts: Syn | SynAck, outcome: "half_open" },
    { facts: SynAck, outcome: "half_open" },
    { facts: Syn | SynAck | Ack, outcome: "established" },
    { facts: Syn | SynAck | WireFact.SimultaneousSynAck, outcome: "established" },
    { facts: Syn | WireFact.SimultaneousSynAck, outcome: "half_open" },
    { facts: Syn | ServerReset, outcome: "refused" },
    { facts: Syn | SynAck | ServerReset, outcome: "refused" },
    { facts: Syn | SynAck | ClientReset, outcome: "aborted" },
    { facts: Syn | SynAck | WireFact.WrongAckAck, outcome: "half_open" },
    { facts: Syn | WireFact.WrongSynAckAck, outcome: "unanswered" },
    { client: {}, outcome: "established" },
    { server: {}, outcome: "established" },
    { facts: Syn, client: {}, outcome: "established" },
    { client: { error: 113 }, outcome: "established" },
    { client: { ...CLOSED, error: 111 }, outcome: "refused", reason: "ECONNREFUSED" },
    {
      facts: Syn | SynAck,
      client: { ...CLOSED, error: 111 },
      outcome: "refused",
      reason: "ECONNREFUSED",
    },
    { client: { ...CLOSED, error: 110 }, outcome: "timeout", reason: "ETIMEDOUT" },
    { client: { ...CLOSED, error: 100 }, outcome: "unreachable", reason: "ENETDOWN" },
    { client: { ...CLOSED, error: 101 }, outcome: "unreachable", reason: "ENETUNREACH" },
    { client: { ...CLOSED, error: 112 }, outcome: "unreachable", reason: "EHOSTDOWN" },
    { client: { ...CLOSED, error: 113 }, outcome: "unreachable", reason: "EHOSTUNREACH" },
    { client: { ...CLOSED, error: 0 }, outcome: "aborted" },
    { client: { ...CLOSED, error: 104 }, outcome: "aborted", reason: "ECONNRESET" },
    { client: { ...CLOSED, error: 9999 }, outcome: "aborted", reason: "ERRNO_9999" },
    { server: CLOSED, outcome: "half_open" },
    { server: CLOSED, client: {}, outcome: "established" },
    { drops: [SYN_DROP], outcome: "dropped", reason: "NETFILTER_DROP" },
    { drops: [QUEUE_DROP], facts: Syn, outcome: "dropped", reason: "ACCEPT_QUEUE_FULL" },
    { drops: [QUEUE_DROP, SYN_DROP], outcome: "dropped", reason: "NETFILTER_DROP" },
    { drops: [SYN_ACK_DROP], outcome: "half_open" },
    { drops: [SYN_ACK_DROP, SYN_DROP], facts: Syn, outcome: "half_open" },
    { drops: [SYN_DROP], facts: Syn | SynAck, outcome: "half_open" },
    { drops: [SYN_DROP], server: CLOSED, outcome: "half_open" },
    { drops: [SYN_DROP], facts: Syn | SynAck | Ack, outcome: "established" },
    { drops: [SYN_DROP], client: {}, outcome: "established" },
    { drops: [SYN_DROP], server: {}, outcome: "established" },
    {
      drops: [SYN_DROP],
      client: { ...CLOSED, error: 110 },
      outcome: "timeout",
      reason: "ETIMEDOUT",
    },
    {
      drops: [SYN_DROP],
      client: { ...CLOSED, error: 113 },
      outcome: "unreachable",
      reason: "EHOSTUNREACH",
    },
    {
      drops: [SYN_DROP],
      client: { ...CLOSED, error: 111 },
      reset: "NO_SOCKET",
      outcome: "refused",
      reason: "ECONNREFUSED",
    },
    { drops: [SYN_DROP], client: { ...CLOSED, error: 0 }, outcome: "aborted" },
    { drops: [SYN_DROP], facts: Syn | ClientReset, outcome: "aborted" },
    { drops: [SYN_DROP], facts: Syn | ServerReset, outcome: "refused", reason: "NETFILTER_DROP" },
    {
      drops: [SYN_DROP],
      reset: "NO_SOCKET",
      facts: Syn | ServerReset,
      outcome: "refused",
      reason: "NO_SOCKET",
    },
    { drops: [SYN_DROP], reset: "NO_SOCKET", outcome: "refused", reason: "NO_SOCKET" },
    { drops: [CLOSED_PORT_DROP], outcome: "refused", reason: "NO_SOCKET" },
    { drops: [CLOSED_PORT_DROP], facts: Syn, outcome: "refused", reason: "NO_SOCKET" },
    { drops: [CLOSED_PORT_DROP, SYN_DROP], outcome: "dropped", reason: "NETFILTER_DROP" },
    { reset: "NO_SOCKET", facts: Syn, outcome: "refused", reason: "NO_SOCKET" },
    { accept: {}, facts: Syn | SynAck, outcome: "half_open" },
  ];
  for (const { outcome, reason, ...row } of cases) {
    const handshake = concluded(row);
    assertEquals([handshake.outcome, handshake.reason], [outcome, reason], JSON.stringify(row));
  }
});

Deno.test("conclude gives each relation of the numbers its verdict", () => {
  const { WrongSynAckAck, WrongAckSequence, WrongAckAck } = WireFact;
  const cases: { facts: number; expected: (boolean | undefined)[] }[] = [
    { facts: Syn, expected: [undefined, undefined, undefined] },
    { facts: SynAck, expected: [undefined, undefined, undefined] },
    { facts: Syn | WrongSynAckAck, expected: [false, undefined, undefined] },
    { facts: Syn | SynAck, expected: [true, undefined, undefined] },
    { facts: Syn | SynAck | WrongSynAckAck, expected: [true, undefined, undefined] },
    { facts: Syn | SynAck | WrongAckSequence, expected: [true, false, true] },
    { facts: Syn | SynAck | WrongAckAck, expected: [true, true, false] },
    { facts: Syn | SynAck | WrongAckSequence | WrongAckAck, expected: [true, false, false] },
    { facts: Syn | SynAck | WrongAckSequence | Ack, expected: [true, true, true] },
    { facts: SynAck | Ack, expected: [undefined, true, true] },
  ];
  for (const { facts, expected } of cases) {
    const { synAckAcknowledgesSyn, ackSequence, ackAcknowledgesSynAck } = concluded({ facts });
    assertEquals([synAckAcknowledgesSyn, ackSequence, ackAcknowledgesSynAck], expected);
  }
});

Deno.test("conclude takes the kernel's RTT only where it is a measurement", () => {
  const cases: { side: "client" | "server"; half: HalfFields; expected: number | undefined }[] = [
    { side: "client", half: { rttMinUs: 10240 }, expected: 10_240_000 },
    { side: "client", half: { rttMinUs: 10000 }, expected: 10_000_000 },
    { side: "client", half: { rttMinUs: 10000, retransmits: 1 }, expected: undefined },
    { side: "client", half: { rttMinUs: 10001, retransmits: 1 }, expected: 10_001_000 },
    { side: "client", half: { rttMinUs: 10240, newState: 7, error: 111 }, expected: undefined },
    { side: "client", half: {}, expected: undefined },
    { side: "server", half: { rttMinUs: 64 }, expected: 64_000 },
    { side: "server", half: { rttMinUs: 4000 }, expected: undefined },
    { side: "server", half: { rttMinUs: 4001, newState: 7 }, expected: undefined },
    { side: "server", half: { rttMinUs: 64, synCookie: true }, expected: undefined },
    { side: "server", half: { rttMinUs: 4001, synCookie: true }, expected: undefined },
    { side: "server", half: { rttMinUs: 4000, synCookie: false }, expected: 4_000_000 },
    {
      side: "server",
      half: { rttMinUs: 4000, synCookie: false, retransmits: 1 },
      expected: undefined,
    },
    {
      side: "server",
      half: { rttMinUs: 4001, synCookie: false, retransmits: 1 },
      expected: 4_001_000,
    },
  ];
  for (const { side, half, expected } of cases) {
    const handshake = concluded({ [side]: half });
    assertEquals(
      side === "client" ? handshake.kernelClientRttNs : handshake.kernelServerRttNs,
      expected,
      `${side} ${JSON.stringify(half)}`,
    );
  }
});

/** A host that has some addresses. */
function local(...addresses: string[]) {
  return {
    isLocalAddress: (words: Uint32Array, at: number) =>
      addresses.some((address) => end(address, 0).address[3] === words[at + 3]),
  };
}

Deno.test("conclude tells this host's part by the kernel's halves, then by the addresses", () => {
  const cases: (Row & { expected: string })[] = [
    { facts: Syn, expected: "observer" },
    { client: {}, expected: "client" },
    { server: {}, expected: "server" },
    { client: {}, server: {}, expected: "local" },
    { facts: Syn, hostContext: local("192.0.2.1"), expected: "client" },
    { facts: Syn, hostContext: local("198.51.100.2"), expected: "server" },
    { facts: Syn, hostContext: local("192.0.2.1", "198.51.100.2"), expected: "local" },
    { server: {}, hostContext: local("192.0.2.1"), expected: "local" },
    { client: {}, hostContext: local("192.0.2.1"), expected: "client" },
    { facts: Syn, hostContext: local("203.0.113.9"), expected: "observer" },
    { drops: [SYN_DROP], expected: "observer" },
    { drops: [SYN_DROP], hostContext: local("198.51.100.2"), expected: "server" },
    { drops: [SYN_DROP], hostContext: local("192.0.2.1"), expected: "client" },
    { drops: [SYN_ACK_DROP], hostContext: local("192.0.2.1"), expected: "client" },
    // A listener that refuses is here, whatever address it has; whoever accepts, too.
    { drops: [QUEUE_DROP], expected: "server" },
    { drops: [QUEUE_DROP, SYN_DROP], hostContext: local("192.0.2.1"), expected: "local" },
    { facts: Syn, accept: {}, expected: "server" },
  ];
  for (const { expected, ...row } of cases) assertEquals(concluded(row).role, expected);
});

Deno.test("conclude names the process of each side", () => {
  const nginx = { pid: 80, comm: "nginx", uid: 33, cgroup: 99 };
  const asked: KernelEnd[] = [];
  const listenerOf = (server: KernelEnd) => {
    asked.push(server);
    return nginx;
  };
  const both = concluded({ client: {}, server: {}, hostContext: { listenerOf } });
  assertEquals(both.client.process, { pid: 4711, comm: "curl", uid: 1000, cgroup: 8231 });
  assertEquals(both.server.process, nginx);
  assertEquals(asked.map(({ kind }) => kind), ["server"]);
  const neither = concluded({ client: { pid: 0, comm: "" }, hostContext: { listenerOf } });
  assertEquals([neither.client.process, neither.server.process], [undefined, undefined]);
  assertEquals(concluded({ server: {} }).server.process, undefined);
  // Where no listener is known, whoever accepted.
  const worker = { pid: 812, comm: "worker", uid: 34, cgroup: 100 };
  const accept = {};
  const cases: (Row & { expected: typeof nginx | undefined })[] = [
    { server: {}, accept, expected: worker },
    { server: {}, accept, hostContext: { listenerOf: () => undefined }, expected: worker },
    { server: {}, accept, hostContext: { listenerOf: () => nginx }, expected: nginx },
    { facts: Syn, accept, hostContext: { listenerOf: () => nginx }, expected: worker },
    { server: {}, accept: { pid: 0, comm: "" }, expected: undefined },
  ];
  for (const { expected, ...row } of cases) {
    assertEquals(concluded(row).server.process, expected, JSON.stringify(row));
  }
});

Deno.test("conclude asks who listens where a SYN came to, if that is here", () => {
  const nginx = { pid: 80, comm: "nginx", uid: 33, cgroup: 99 };
  const asked: unknown[] = [];
  const here = {
    ...local("198.51.100.2"),
    listenerAt: (...question: unknown[]) => {
      asked.push(question.slice(2));
      return nginx;
    },
  };
  const refusal = { netns: 4_026_532_000, listener: undefined };
  const cases: (Row & { expected: typeof nginx | undefined; question?: unknown })[] = [
    { facts: Syn, hostContext: here, expected: nginx, question: [[], undefined] },
    { facts: Syn | SynAck, hostContext: here, expected: nginx, question: [[], undefined] },
    { drops: [SYN_DROP], hostContext: here, expected: nginx, question: [[], undefined] },
    { drops: [QUEUE_DROP], hostContext: here, expected: nginx, question: [[], refusal] },
    { facts: Syn, hostContext: { ...here, ...local("192.0.2.1") }, expected: undefined },
    // The kernel's own word of the server's side goes first.
    { server: {}, hostContext: here, expected: undefined },
  ];
  for (const { expected, question, ...row } of cases) {
    asked.length = 0;
    assertEquals(concluded(row).server.process, expected, JSON.stringify(row));
    assertEquals(asked, question === undefined ? [] : [question]);
  }
});

Deno.test("conclude tells a thread from its process, and the kernel's own clients", () => {
  const thread = { tid: 4712, comm: "pool" };
  const usual = { pid: 4711, comm: "curl", uid: 1000, cgroup: 8231 };
  assertEquals(concluded({ client: { thread } }).client.process, { ...usual, thread });
  assertEquals(concluded({ client: { isKernel: true } }).client.process, {
    ...usual,
    kernel: true,
  });
  // One that accepts may do it for anybody.
  const accepted = concluded({ server: {}, accept: { isKernel: true } });
  assertEquals(accepted.server.process, undefined);
});

Deno.test("conclude takes of an unseen end what the kernel proves of it", () => {
  const options = {
    timestamps: true,
    sackPermitted: false,
    windowScale: true,
    ownWindowScale: 7,
    peerWindowScale: 13,
  };
  const none = { mss: undefined, window: undefined, windowScale: undefined };
  const nothing = { ...none, sackPermitted: undefined, timestamps: undefined };
  const agreed = { ...nothing, timestamps: true };
  const cases: {
    row: Row;
    client: Partial<Snapshot["client"]>;
    server: Partial<Snapshot["client"]>;
  }[] = [
    { row: { client: {} }, client: nothing, server: nothing },
    {
      row: { client: { options } },
      client: { ...agreed, windowScale: 7 },
      server: { ...agreed, windowScale: 13 },
    },
    {
      row: { server: { options } },
      client: { ...agreed, windowScale: 13 },
      server: { ...agreed, windowScale: 7 },
    },
    {
      row: { client: { options: { ...options, windowScale: false } } },
      client: agreed,
      server: agreed,
    },
    {
      // What the packet said counts: also that an option was absent.
      row: { facts: Syn, client: { options }, columns: { clientWindow: 64240, clientMss: 1460 } },
      client: {
        mss: 1460,
        window: 64240,
        windowScale: undefined,
        sackPermitted: false,
        timestamps: false,
      },
      server: { ...agreed, windowScale: 13 },
    },
    {
      // An option behind the cut is unknown, unless the kernel proves it.
      row: { facts: Syn | SynAck | SynOptionsCut | SynAckOptionsCut, columns: { clientMss: 1460 } },
      client: { ...nothing, mss: 1460, window: 0 },
      server: { ...nothing, window: 0 },
    },
    {
      row: {
        facts: Syn | SynAck | SynOptionsCut | SynAckOptionsCut | WireFact.SynSackPermitted,
        client: { options },
        columns: { clientWindowScale: 8 },
      },
      client: { ...agreed, window: 0, windowScale: 8, sackPermitted: true },
      server: { ...agreed, window: 0, windowScale: 13 },
    },
  ];
  for (const { row, client, server } of cases) {
    const handshake = concluded(row);
    const { address, port, isn, process, ...ofClient } = handshake.client;
    assertEquals(ofClient, { ...ofClient, ...client });
    assertEquals([address, port, isn, process?.pid], [
      "192.0.2.1",
      50000,
      1000,
      row.client ? 4711 : undefined,
    ]);
    assertEquals(handshake.server, { ...handshake.server, ...server });
  }
});

Deno.test("conclude takes the server's number from its SYN-ACK, else from the kernel", () => {
  const cases: (Row & { expected: number | undefined })[] = [
    { facts: Syn, expected: undefined },
    { facts: Syn | SynAck, client: { irs: 7 }, server: { iss: 8 }, expected: 5000 },
    { client: { irs: 7 }, expected: 7 },
    { client: { irs: 7 }, server: { iss: 8 }, expected: 8 },
    { client: { newState: 7, error: 111 }, expected: undefined },
    { drops: [SYN_DROP], expected: undefined },
    { drops: [PLAY.synAckDrop(1, { sequence: 9 }).record, SYN_DROP], expected: 9 },
    { drops: [SYN_ACK_DROP], server: { iss: 8 }, expected: 8 },
  ];
  for (const { expected, ...row } of cases) assertEquals(concluded(row).server.isn, expected);
});

Deno.test("conclude counts all times from the first SYN, else the first packet, else the first kernel time", () => {
  const columns = {
    firstSynNs: 100,
    lastSynNs: 100,
    firstSynAckNs: 300,
    lastSynAckNs: 300,
    ackNs: 400,
  };
  const cases: (Row & { expected: Partial<Snapshot> })[] = [
    {
      facts: Syn | SynAck | Ack,
      client: { connectNs: 60, endNs: 350 },
      server: { synReceivedNs: 150, endNs: 450 },
      columns,
      expected: {
        timeNs: 100,
        connectNs: -40,
        synNs: 0,
        synReceivedNs: 50,
        synAckNs: 200,
        establishedNs: 250,
        ackNs: 300,
        serverEstablishedNs: 350,
      },
    },
    {
      facts: SynAck | Ack,
      columns,
      expected: { timeNs: 300, synNs: undefined, synAckNs: 0, ackNs: 100, totalNs: undefined },
    },
    {
      client: { connectNs: 60, endNs: 350 },
      expected: { timeNs: 60, connectNs: 0, establishedNs: 290, synNs: undefined },
    },
    { client: { endNs: 350 }, expected: { timeNs: 350, connectNs: undefined, establishedNs: 0 } },
    {
      client: { newState: 7, error: 111, connectNs: 60, endNs: 350 },
      expected: { timeNs: 60, establishedNs: undefined },
    },
    {
      server: { synReceivedNs: 150, endNs: 450 },
      expected: {
        timeNs: 150,
        synReceivedNs: 0,
        establishedNs: 300,
        serverEstablishedNs: undefined,
      },
    },
    {
      client: { endNs: 350 },
      server: { synReceivedNs: 150, endNs: 450 },
      expected: { timeNs: 150, establishedNs: 200, serverEstablishedNs: 300 },
    },
    { server: { endNs: 450 }, expected: { timeNs: 450, synReceivedNs: undefined } },
    {
      facts: Syn,
      client: { connectNs: 60, synSentNs: 90, endNs: 350 },
      accept: { endNs: 999 },
      columns,
      expected: { timeNs: 100, connectNs: -40, synSentNs: -10, acceptedNs: 899 },
    },
    {
      client: { synSentNs: 90, endNs: 350 },
      expected: { timeNs: 90, connectNs: undefined, synSentNs: 0, establishedNs: 260 },
    },
    { drops: [SYN_DROP, QUEUE_DROP], expected: { timeNs: 200 } },
    {
      drops: [SYN_DROP],
      client: { ...CLOSED, error: 110, connectNs: 60, endNs: 350 },
      expected: { timeNs: 60, connectNs: 0 },
    },
    {
      // The first SYN was dropped, the second taken.
      drops: [SYN_DROP],
      server: { synReceivedNs: 450, endNs: 500 },
      expected: { timeNs: 300, synReceivedNs: 150, establishedNs: 200 },
    },
  ];
  for (const { expected, ...row } of cases) {
    const handshake = concluded(row);
    assertEquals(handshake, { ...handshake, ...expected }, JSON.stringify(row));
  }
});

Deno.test("conclude tells of dropped packets and of a RST what the kernel said", () => {
  const none = {
    dropCount: undefined,
    dropReason: undefined,
    dropPacket: undefined,
    dropQueue: undefined,
    resetReason: undefined,
  };
  const cases: (Row & { expected: Partial<Snapshot> })[] = [
    { facts: Syn, expected: { ...none, kernel: false, wire: true, netns: undefined } },
    {
      drops: [QUEUE_DROP],
      expected: {
        ...none,
        kernel: true,
        wire: false,
        netns: 4026532000,
        dropCount: 1,
        dropReason: "ACCEPT_QUEUE_FULL",
        dropPacket: "syn",
        dropQueue: { length: 129, limit: 128 },
      },
    },
    {
      facts: Syn | SynAck | Ack,
      drops: [QUEUE_DROP, SYN_ACK_DROP],
      server: { netns: 5 },
      expected: {
        ...none,
        kernel: true,
        wire: true,
        netns: 5,
        dropCount: 2,
        dropReason: "SOCKET_FILTER",
        dropPacket: "syn_ack",
      },
    },
    {
      facts: Syn,
      reset: "NO_SOCKET",
      expected: { ...none, kernel: true, resetReason: "NO_SOCKET" },
    },
    { facts: Syn, accept: { netns: 6 }, expected: { ...none, kernel: true, netns: 6 } },
  ];
  for (const { expected, ...row } of cases) {
    const handshake = concluded(row);
    assertEquals(handshake, { ...handshake, ...expected }, JSON.stringify(row));
  }
});

Deno.test("conclude takes 0 for a number where a packet with it was dropped", () => {
  const play = new Play(PLAY.client, PLAY.server, 0, 5000);
  assertEquals(concluded({ play, drops: [play.synDrop(1).record] }).client.isn, 0);
  assertEquals(concluded({ play, client: { ...CLOSED, error: 101 } }).client.isn, undefined);
});

Deno.test("conclude withholds the kernel's times too where the clock was set", () => {
  const { connectNs, synSentNs, synReceivedNs, establishedNs, acceptedNs, flags } = concluded({
    client: { connectNs: 1, synSentNs: 2 },
    server: { synReceivedNs: 3 },
    accept: {},
    columns: { mistimed: 1 },
  });
  assertEquals(
    [connectNs, synSentNs, synReceivedNs, establishedNs, acceptedNs],
    [undefined, undefined, undefined, undefined, undefined],
  );
  assertEquals(flags, ["clock_set"]);
});

Deno.test("conclude gives no RTT where the capture shows the packets in the wrong order", () => {
  const columns = {
    firstSynNs: 300,
    lastSynNs: 300,
    firstSynAckNs: 200,
    lastSynAckNs: 200,
    ackNs: 100,
  };
  const handshake = concluded({ facts: Syn | SynAck | Ack, columns });
  const { clientRttNs, serverRttNs, totalNs, ambiguous } = handshake;
  assertEquals([clientRttNs, serverRttNs, totalNs], [undefined, undefined, undefined]);
  assertEquals(ambiguous, false);
  assertEquals(handshake.outcome, "established");
});

Deno.test("conclude lists the flags in order", () => {
  const looped = new Play(end("127.0.0.1", 7777), end("127.0.0.1", 7777), 1000, 1000);
  const cases: (Row & { expected: HandshakeFlag[] })[] = [
    { facts: Syn | SynAck | Ack, expected: [] },
    { facts: Syn | WireFact.FastOpen | WireFact.Mptcp, expected: ["tcp_fast_open", "mptcp"] },
    { client: { options: { synData: true } }, expected: ["tcp_fast_open"] },
    { facts: Syn | SynAck | WireFact.SynEcn, expected: [] },
    { facts: Syn | SynAck | WireFact.SynAckEcn, expected: [] },
    { facts: Syn | SynAck | WireFact.SynEcn | WireFact.SynAckEcn, expected: ["ecn"] },
    { facts: Syn | SynAck | WireFact.SynAccEcn | WireFact.SynAckEcn, expected: ["ecn"] },
    { facts: Syn | SynAck | WireFact.SynAccEcn | WireFact.SynAckAccEcn, expected: ["accecn"] },
    { facts: Syn | SynAck | WireFact.SynEcn | WireFact.SynAckAccEcn, expected: [] },
    { facts: Syn, play: looped, expected: ["self_connect"] },
    { client: { oldState: 3 }, play: looped, expected: ["self_connect"] },
    { client: { oldState: 3 }, expected: ["simultaneous_open"] },
    { server: { synCookie: true }, expected: ["syn_cookie"] },
    { server: { synCookie: false }, expected: [] },
    { facts: Syn, server: { synCookie: true }, expected: ["syn_cookie", "one_sided"] },
    { facts: SynAck, expected: ["one_sided"] },
    { facts: Syn, client: {}, expected: ["one_sided"] },
    { facts: Syn, traceEnded: true, expected: ["trace_ended"] },
    { facts: Syn | SynAck, traceEnded: true, expected: ["trace_ended"] },
    { facts: Syn | SynAck | Ack, traceEnded: true, expected: [] },
    { facts: Syn | ServerReset, traceEnded: true, expected: [] },
    { server: { newState: 7 }, traceEnded: true, expected: [] },
    { drops: [SYN_DROP], expected: [] },
    { drops: [SYN_DROP], traceEnded: true, expected: ["trace_ended"] },
    { drops: [SYN_ACK_DROP], traceEnded: true, expected: ["trace_ended"] },
    {
      facts: SynAck | WireFact.FastOpen | WireFact.Mptcp,
      traceEnded: true,
      expected: ["tcp_fast_open", "mptcp", "one_sided", "trace_ended"],
    },
  ];
  for (const { expected, ...row } of cases) {
    assertEquals(concluded(row).flags, expected, JSON.stringify(row));
  }
});

Deno.test("conclude sets every field, whatever the handshake held before", () => {
  const rows: Row[] = [
    {
      facts: Syn | SynAck | Ack | WireFact.FastOpen | WireFact.SynTimestamps,
      client: { rttMinUs: 5, connectNs: 1 },
      server: { rttMinUs: 6, synReceivedNs: 2 },
      columns: {
        clientMss: 1,
        serverMss: 2,
        syns: 3,
        synsBeforeAnswer: 3,
        synAcks: 4,
        synAcksBeforeAck: 4,
        resets: 5,
        synPlace: 6,
      },
      hostContext: { listenerOf: () => ({ pid: 80, comm: "nginx", uid: 33, cgroup: 99 }) },
    },
    { facts: Syn },
    { client: { newState: 7, error: 110 } },
    { server: {} },
    { facts: SynAck | ClientReset, traceEnded: true },
    { drops: [QUEUE_DROP], reset: "NO_SOCKET", accept: {}, server: { synCookie: true } },
  ];
  for (const before of rows) {
    for (const row of rows) {
      const reused = new Handshake();
      concluded(before, reused);
      assertEquals(concluded(row, reused), concluded(row));
    }
  }
});

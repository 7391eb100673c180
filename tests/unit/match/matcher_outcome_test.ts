import { TcpFlag } from "../../../src/wire/tcp_flags.ts";
import { ALL_FIT, check, isn, MS, P, SECOND } from "./matcher_cases.ts";
import { end, Play, plus } from "./traffic.ts";

Deno.test("Matcher tells why a handshake failed", () => {
  const closed = { newState: 7, error: 0 };
  const noRtt = { clientRttNs: undefined, serverRttNs: undefined, totalNs: undefined };
  const threeSyns = [P.syn(0), P.syn(SECOND), P.syn(3 * SECOND)];
  check([
    {
      name: "RST,ACK in answer to the SYN",
      events: [P.syn(0), P.refusal(5 * MS)],
      expected: [{ outcome: "refused", reason: undefined, rstCount: 1, ...noRtt }],
    },
    {
      name: "RST with a wrong Ack: goes on",
      events: [
        P.syn(0),
        P.refusal(1, { acknowledgment: P.x }),
        P.refusal(2, { acknowledgment: plus(P.x, 2) }),
        P.synAck(10 * MS),
        P.ack(11 * MS),
      ],
      expected: [{ outcome: "established", rstCount: 0, clientRttNs: 10 * MS, ...ALL_FIT }],
      counters: { unexpected: 2 },
    },
    {
      name: "RST without ACK in answer to the SYN: goes on",
      events: [P.syn(0), P.refusal(1, { flags: TcpFlag.RST })],
      expected: [{ outcome: "unanswered", rstCount: 0 }],
      counters: { unexpected: 1 },
    },
    {
      name: "RST of a connection that is long established",
      events: [P.clientReset(0), P.serverReset(1), P.refusal(2)],
      expected: [],
    },
    {
      name: "refused: wire and kernel",
      events: [P.syn(0), P.refusal(MS), P.clientKernel(MS + 5, { ...closed, error: 111 })],
      expected: [{
        outcome: "refused",
        reason: "ECONNREFUSED",
        wire: true,
        kernel: true,
        ...noRtt,
      }],
    },
    {
      name: "timeout after three SYNs",
      events: [...threeSyns, P.clientKernel(7 * SECOND, { ...closed, error: 110, retransmits: 2 })],
      expected: [{
        outcome: "timeout",
        reason: "ETIMEDOUT",
        synCount: 3,
        ambiguous: false,
        ...noRtt,
      }],
    },
    {
      name: "unreachable",
      events: [P.syn(0), P.clientKernel(3 * SECOND, { ...closed, error: 113 })],
      expected: [{ outcome: "unreachable", reason: "EHOSTUNREACH", ...noRtt }],
    },
    {
      name: "aborted by a RST of the client after the SYN-ACK",
      events: [P.syn(0), P.synAck(10 * MS), P.clientReset(11 * MS)],
      expected: [{ outcome: "aborted", rstCount: 1, clientRttNs: 10 * MS, serverRttNs: undefined }],
    },
    {
      name: "RST of the client with a wrong Seq: goes on",
      events: [
        P.syn(0),
        P.synAck(10 * MS),
        P.clientReset(10 * MS + 1, { sequence: P.x }),
        P.ack(11 * MS),
      ],
      expected: [{ outcome: "established", rstCount: 0, ...ALL_FIT }],
      counters: { unexpected: 1 },
    },
    {
      name: "aborted by close()",
      events: [P.syn(0), P.clientKernel(MS, closed)],
      expected: [{ outcome: "aborted", reason: undefined, ...noRtt }],
    },
    {
      name: "RST of the server after its SYN-ACK",
      events: [
        P.syn(0),
        P.synAck(10 * MS),
        P.serverReset(10 * MS + 1, { sequence: plus(P.y, 2) }),
        P.serverReset(11 * MS),
      ],
      expected: [{ outcome: "refused", rstCount: 1, clientRttNs: 10 * MS }],
      counters: { unexpected: 1 },
    },
    {
      name: "half open",
      events: [P.syn(0), P.synAck(10 * MS), { completeNs: 60 * SECOND }],
      expected: [{ outcome: "half_open", clientRttNs: 10 * MS, totalNs: undefined, flags: [] }],
    },
    {
      name: "unanswered",
      events: [P.syn(0), { completeNs: 80 * SECOND }],
      expected: [{ outcome: "unanswered", ...noRtt, flags: [] }],
    },
    {
      name: "cut off by the end of the trace",
      events: [P.syn(0)],
      expected: [{ outcome: "unanswered", flags: ["trace_ended"] }],
    },
  ]);
});

Deno.test("Matcher says what a one-sided capture can say", () => {
  check([
    {
      name: "SYN-ACK and no SYN",
      events: [P.synAck(5)],
      expected: [{
        outcome: "half_open",
        client: { ...isn(P.x), mss: undefined, window: undefined, sackPermitted: undefined },
        server: isn(P.y),
        clientRttNs: undefined,
        timeNs: 5,
        synAckNs: 0,
        synCount: 0,
        synAckAcknowledgesSyn: undefined,
        flags: ["one_sided", "trace_ended"],
      }],
    },
    {
      name: "SYN alone, the kernel says established",
      events: [P.syn(0), P.clientKernel(9)],
      expected: [{ outcome: "established", clientRttNs: undefined, flags: ["one_sided"] }],
    },
    { name: "ACK alone", events: [P.ack(0), P.ack(1, { payloadLength: 9 })], expected: [] },
  ]);
});

Deno.test("Matcher gives a simultaneous open and a self-connect as established", () => {
  const looped = new Play(end("127.0.0.1", 7777), end("127.0.0.1", 7777), 1000, 1000);
  const reverse = new Play(P.server, P.client, P.y, P.x);
  const opened = {
    outcome: "established",
    client: isn(P.x),
    server: isn(P.y),
    synAckAcknowledgesSyn: true,
    flags: ["simultaneous_open"],
  } as const;
  const curl = { pid: 4711, comm: "curl", uid: 1000, cgroup: 8231 };
  check([
    {
      name: "self-connect: SYN, its own SYN-ACK, kernel 2 to 3 to 1",
      events: [looped.syn(0), looped.synAck(5), looped.clientKernel(6, { oldState: 3 })],
      expected: [{ outcome: "established", clientRttNs: 5, flags: ["self_connect"] }],
    },
    {
      name: "self-connect with its ACK",
      events: [looped.syn(0), looped.synAck(5), looped.ack(6)],
      expected: [{ outcome: "established", flags: ["self_connect"], ...ALL_FIT }],
    },
    {
      name: "simultaneous open: one client a side",
      events: [
        P.syn(0),
        reverse.syn(1),
        P.synAck(10),
        reverse.synAck(11),
        P.clientKernel(12, { oldState: 3 }),
        reverse.clientKernel(13, { oldState: 3 }),
      ],
      expected: [{
        ...opened,
        role: "local",
        establishedNs: 12,
        serverEstablishedNs: 13,
        client: { ...isn(P.x), process: curl },
        server: { ...isn(P.y), process: curl },
      }],
    },
    {
      name: "the same, the server's end told before the SYN-ACKs",
      events: [
        P.syn(0),
        reverse.syn(1),
        reverse.clientKernel(2, { oldState: 3 }),
        P.synAck(10),
        reverse.synAck(11),
      ],
      expected: [{ ...opened, role: "server", server: { ...isn(P.y), process: curl } }],
    },
    {
      name: "packets alone, the client's SYN-ACK first",
      events: [
        P.syn(0),
        reverse.syn(1),
        reverse.synAck(10),
        P.synAck(11),
        P.syn(12),
        reverse.syn(13),
      ],
      expected: [{ ...opened, clientRttNs: 11, serverRttNs: undefined, ackNs: undefined }],
    },
    {
      name: "packets alone, the server's SYN-ACK first",
      events: [P.syn(0), reverse.syn(1), P.synAck(10), reverse.synAck(11)],
      expected: [{ ...opened, clientRttNs: 10 }],
    },
    {
      name: "with a third packet, as Linux sends one",
      events: [
        P.syn(0),
        reverse.syn(1),
        reverse.synAck(10),
        P.synAck(11),
        P.ack(12),
        reverse.ack(13),
      ],
      expected: [{ ...opened, clientRttNs: 11, serverRttNs: 1, ...ALL_FIT }],
    },
    {
      name: "the server's SYN was not seen",
      events: [P.syn(0), reverse.synAck(10), P.synAck(11)],
      expected: [opened],
    },
    {
      name: "each packet at two places",
      events: [
        P.syn(0, {}, 1),
        P.syn(1, {}, 2),
        reverse.syn(2, {}, 2),
        reverse.syn(3, {}, 1),
        reverse.synAck(4, {}, 1),
        reverse.synAck(5, {}, 2),
        P.synAck(6, {}, 2),
        P.synAck(7, {}, 1),
      ],
      expected: [{ ...opened, clientRttNs: 7, synAckCount: 1 }],
    },
    {
      name: "the client's SYN-ACK alone",
      events: [P.syn(0), reverse.syn(1), reverse.synAck(10)],
      expected: [{
        outcome: "half_open",
        server: isn(P.y),
        flags: ["simultaneous_open", "trace_ended"],
      }],
    },
    {
      name: "the server's SYN-ACK then has another number",
      events: [P.syn(0), reverse.syn(1), reverse.synAck(10), P.synAck(11, { sequence: 7 })],
      expected: [{ outcome: "half_open", server: isn(7) }],
    },
    {
      name: "both SYNs lost: two attempts",
      events: [P.syn(0), reverse.syn(1)],
      expected: [{ outcome: "unanswered" }, { outcome: "unanswered", client: isn(P.y) }],
    },
    {
      name: "the server connects to a listener on the client's port, no simultaneous open",
      events: [
        P.syn(0),
        reverse.syn(SECOND),
        reverse.synAck(SECOND + 1, { sequence: 77 }),
        reverse.ack(SECOND + 2, { acknowledgment: 78 }),
      ],
      expected: [
        { outcome: "established", client: isn(P.y), server: isn(77), clientRttNs: 1, flags: [] },
        { outcome: "unanswered" },
      ],
    },
  ]);
});

import { assertEquals } from "@std/assert";
import {
  type EndIdentity,
  isOnTheWay,
  POSSIBLE_ENDS,
  synAcksLost,
  tierOf,
  type Verdict,
  verdictOf,
  VERDICTS,
} from "../../../src/match/both_ends.ts";
import { type Outcome, OUTCOMES } from "../../../src/match/handshake.ts";

Deno.test("verdictOf says where a handshake failed", () => {
  const cases: [client: Outcome, server: Outcome, verdict: Verdict][] = [
    ["established", "established", "established"],
    ["established", "half_open", "ack_lost"],
    ["established", "dropped", "dropped_by_server"],
    ["established", "aborted", "aborted"],
    ["half_open", "established", "established"],
    ["timeout", "half_open", "answer_lost"],
    ["timeout", "dropped", "dropped_by_server"],
    ["timeout", "unanswered", "dropped_by_server"],
    ["refused", "refused", "refused_by_server"],
    ["refused", "half_open", "refused_on_the_way"],
    ["unreachable", "half_open", "unreachable"],
    ["aborted", "half_open", "aborted"],
  ];
  for (const [client, server, verdict] of cases) {
    assertEquals(verdictOf(client, server), verdict, `${client}, ${server}`);
  }
});

Deno.test("verdictOf has an answer for all ends that can be of one handshake", () => {
  for (const client of OUTCOMES) {
    for (const server of POSSIBLE_ENDS[client]) {
      assertEquals(Object.keys(VERDICTS).includes(verdictOf(client, server)), true);
    }
  }
});

Deno.test("tierOf tells by what two ends are of one handshake", () => {
  const end: EndIdentity = {
    outcome: "established",
    client: "192.0.2.1:1234",
    server: "192.0.2.2:80",
    clientIsn: 1,
    serverIsn: 2,
  };
  const silent = { outcome: "timeout", serverIsn: undefined } as const;
  const cases: [what: string, client: object, server: object, tier: number | undefined][] = [
    ["the same", {}, {}, 1],
    ["the same, the client knows no answer", silent, { outcome: "half_open" }, 1],
    ["behind a NAT", {}, { client: "198.51.100.1:9" }, 2],
    ["both addresses changed", {}, { client: "198.51.100.1:9", server: "10.0.0.1:8080" }, 2],
    ["behind a NAT, without an answer", silent, { outcome: "half_open", client: "1.1.1.1:9" }, 3],
    ["without an answer, to another server", silent, {
      outcome: "half_open",
      client: "198.51.100.1:9",
      server: "10.0.0.1:80",
    }, undefined],
    ["another number of the client", {}, { clientIsn: 3 }, undefined],
    ["another number of the server", {}, { serverIsn: 3 }, undefined],
    ["no number", { clientIsn: undefined }, { clientIsn: undefined }, undefined],
    ["fates that contradict", { outcome: "refused" }, {}, undefined],
  ];
  for (const [what, client, server, tier] of cases) {
    assertEquals(tierOf({ ...end, ...client }, { ...end, ...server }), tier, what);
  }
});

Deno.test("synAcksLost counts what was lost, and not what was sent again for a lost ACK", () => {
  const S = 1e9;
  const client = { outcome: "established", synNs: 0, ackNs: 600_000, synAckCount: 1 } as const;
  const server = { outcome: "established", synNs: 0, ackNs: 590_000, synAckCount: 1 } as const;
  const cases: [what: string, client: object, server: object, lost: number | undefined][] = [
    ["nothing was", {}, {}, 0],
    ["one was, and the next answered", { ackNs: S }, { ackNs: S, synAckCount: 2 }, 1],
    ["one was, and the ACK was late", { ackNs: S }, { ackNs: 1.4 * S, synAckCount: 2 }, 1],
    ["the ACK was lost", {}, { ackNs: S, synAckCount: 2 }, undefined],
    ["no ACK came", {}, { outcome: "half_open", ackNs: undefined, synAckCount: 6 }, undefined],
    ["all were", { outcome: "timeout", ackNs: undefined, synAckCount: 0 }, {
      outcome: "half_open",
      ackNs: undefined,
      synAckCount: 6,
    }, 6],
    ["more came than were seen sent", { synAckCount: 2 }, {}, 0],
  ];
  for (const [what, one, other, lost] of cases) {
    assertEquals(synAcksLost({ ...client, ...one }, { ...server, ...other }), lost, what);
  }
});

Deno.test("isOnTheWay tells a router's end from the end itself by how long it waited for the SYN-ACK", () => {
  const end = (clientRttNs: number | undefined, serverIsn: number | undefined = 7) => ({
    clientRttNs,
    identity: {
      outcome: "established",
      client: "a",
      server: "b",
      clientIsn: 5,
      serverIsn,
    } as const,
  });
  assertEquals(isOnTheWay(true, end(10), end(20)), true);
  assertEquals(isOnTheWay(true, end(20), end(10)), false);
  assertEquals(isOnTheWay(false, end(20), end(10)), true);
  assertEquals(isOnTheWay(false, end(10), end(20)), false);
  assertEquals(isOnTheWay(true, end(10), end(10)), false);
  // Of another handshake, or one of which nothing tells how long it waited.
  assertEquals(isOnTheWay(true, end(10, 8), end(20)), false);
  assertEquals(isOnTheWay(true, end(undefined), end(20)), false);
  assertEquals(isOnTheWay(true, end(10), end(undefined)), false);
});

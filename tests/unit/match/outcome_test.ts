import { assertEquals } from "@std/assert";
import { Mark, WireFact } from "../../../src/match/facts.ts";
import { FlowKey } from "../../../src/match/flow_key.ts";
import { FlowState, FlowTable } from "../../../src/match/flow_table.ts";
import { hasServer, outcomeOf } from "../../../src/match/outcome.ts";
import { end, Play } from "./traffic.ts";

const P = new Play(end("192.0.2.1", 50000), end("198.51.100.2", 443), 1000, 5000);
const { Syn, SynAck, Ack, ServerReset, ClientReset } = WireFact;

function rowWith(facts: number, marks = 0): FlowTable {
  const table = new FlowTable(1);
  const { client, server } = P;
  const key = new FlowKey().set(client.address, client.port, server.address, server.port);
  table.insert(key, P.x, FlowState.SynSent, 0);
  table.facts[0] = facts;
  table.marks[0] = marks;
  table.ackNs[0] = 100;
  return table;
}

Deno.test("outcomeOf takes packets at their word where no kernel of a server here tells", () => {
  const told = {
    hasServer: (_: Uint32Array, __: number, port: number, ns: number) => port === 443 && ns >= 100,
  };
  const cases: [facts: number, marks: number, alone: string, here: string][] = [
    [Syn, 0, "unanswered", "unanswered"],
    [Syn | SynAck, 0, "half_open", "half_open"],
    [Syn | SynAck | Ack, 0, "established", "half_open"],
    [Syn | Ack, 0, "established", "unanswered"],
    [Syn | SynAck | Ack | ServerReset, 0, "established", "refused"],
    [Syn | SynAck | ClientReset, Mark.AnswerReset, "aborted", "aborted"],
  ];
  for (const [facts, marks, alone, here] of cases) {
    assertEquals(outcomeOf(rowWith(facts, marks), 0, {}), alone);
    assertEquals(outcomeOf(rowWith(facts, marks), 0, told), here);
  }
  assertEquals(outcomeOf(rowWith(Syn | SynAck, Mark.Proven), 0, {}), "established");
  const table = rowWith(Syn | SynAck | Ack);
  table.serverKernel[0] = P.serverKernel(120).record;
  assertEquals(outcomeOf(table, 0, told), "established");
  assertEquals([hasServer(table, 0, 99, told), hasServer(table, 0, 100, told)], [false, true]);
});

import { OUTCOMES } from "../../match/handshake.ts";
import { RECORD_VERSION } from "../../record/fields.ts";
import {
  array,
  countsOfHandshakes,
  countsOfLosses,
  head,
  integer,
  object,
  quantiles,
  required,
  type Schema,
  string,
} from "../schema_parts.ts";
import { TALLIES_MAX } from "../limits.ts";

const FAILURES = OUTCOMES.filter((outcome) => outcome !== "established");

/** The JSON Schema (2020-12) of the line that `--stats --json` writes. */
export function statisticsSchema(): Schema {
  const members = {
    ...head("statistics", "When the trace, or the time counted here, ended"),
    duration_ns: integer("How long handshakes were counted (ns)"),
    handshakes: integer("Handshakes counted here"),
    filtered: integer("Handshakes that filters kept back"),
    ...countsOfHandshakes(),
    rtt: object({
      client: rtt("SYN to SYN-ACK"),
      server: rtt("SYN-ACK to ACK"),
      total: rtt("First SYN to ACK"),
    }),
    ...countsOfLosses(),
    repeated: object({ syn: repetition("SYN"), syn_ack: repetition("SYN-ACK") }),
    servers: ranking("server", "Address and port"),
    clients: ranking("client", "Address"),
    processes: ranking("process", "Command name of the process at either end"),
    containers: ranking("container", "Name of its container, or the first 12 digits of its id"),
    cgroups: ranking("cgroup", "Path of its cgroup, where it is known"),
    reasons: ranking("reason", "Symbol of what it failed, was dropped or reset for"),
  };
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: `synsnoop statistics, version ${RECORD_VERSION}`,
    description: "All handshakes together. An absent field is unknown, never guessed.",
    ...object(members, required(members, [])),
  };
}

function rtt(meaning: string): Schema {
  return object({
    count: integer(`Handshakes in which it was measured: ${meaning}`),
    ...quantiles(),
    max_ns: integer("The longest (ns)"),
    buckets: array(
      "Side by side, from the first to the last that is not empty",
      object({
        from_ns: integer("The shortest duration of the bucket (ns)"),
        to_ns: integer("The first that is too long for it (ns)"),
        count: integer("Handshakes"),
      }),
    ),
  }, ["count", "buckets"]);
}

function repetition(packet: string): Schema {
  return object({
    captured: integer(`Handshakes of which a ${packet} was captured`),
    repeated: integer(`Handshakes of which more than one ${packet} was captured`),
  });
}

function ranking(kind: string, name: string): Schema {
  return object({
    different: integer(
      `How many different ones there were; absent where they were more than ${TALLIES_MAX}`,
    ),
    top: array(
      "Those with the most handshakes",
      object({
        [kind]: string(name),
        ...tally(),
        missed_max: integer("Handshakes at most that are counted among the others instead"),
      }),
    ),
    others: object(tally()),
  }, ["top", "others"]);
}

function tally(): Record<string, Schema> {
  return {
    handshakes: integer("Handshakes"),
    established: integer("Handshakes with the outcome established"),
    failures: object(
      Object.fromEntries(FAILURES.map((outcome) => [outcome, integer("Handshakes")])),
      [],
    ),
    captured: integer("Handshakes of which a SYN or a SYN-ACK was captured"),
    repeated: integer("Handshakes of which more than one SYN or SYN-ACK was captured"),
    client_rtt: object({
      count: integer("Handshakes in which SYN to SYN-ACK was measured"),
      ...quantiles(),
    }, ["count"]),
  };
}

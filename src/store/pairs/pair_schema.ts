import { head, integer, object, type Schema, string } from "../../output/schema_parts.ts";
import { RECORD_VERSION } from "../../record/fields.ts";
import { OUTCOMES } from "../../match/handshake.ts";
import { VERDICTS } from "../../match/both_ends.ts";

/** The JSON Schema (2020-12) of the lines that `pairs --json` writes: of pairs, and of clocks. */
export function pairsSchema(): Schema {
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: `synsnoop pairs, version ${RECORD_VERSION}`,
    description:
      "A handshake as two hosts tell it, two clocks in a minute, or a way that changed. An absent field is " +
      "unknown, never guessed.",
    oneOf: [pairSchema(), clockSchema(), delaySchema()],
  };
}

function pairSchema(): Schema {
  const { host: _, ...begin } = head("pair", "The client's first SYN, else the server's");
  const members = {
    ...begin,
    tier: integer("By what the ends were joined: 1, 2 or 3; absent: one end alone is known"),
    verdict: string("What both ends say together", Object.keys(VERDICTS)),
    client: endSchema("client"),
    server: endSchema("server"),
    syns_lost: integer("SYNs that were lost on the way; absent: it cannot be told"),
    syn_acks_lost: integer("SYN-ACKs that were lost on the way; absent: it cannot be told"),
    network_rtt_ns: integer("The network's round trip, of SYN and SYN-ACK, without any clock"),
  };
  return object(members, ["v", "event", "time", "verdict", "client", "server"]);
}

function endSchema(end: string): Schema {
  return object({
    address: string(`IP address of the ${end}, as its own host saw it where that is known`),
    port: integer("TCP port"),
    isn: integer("Initial sequence number"),
    host: string(`Name of the host that told the ${end}'s end; absent, with all below: none did`),
    time: string("When, by that host's clock (RFC 3339, UTC, nine digits)"),
    outcome: string("How it ended there", OUTCOMES),
    reason: string("Why it ended so there"),
    syn: integer("SYNs seen there"),
    syn_ack: integer("SYN-ACKs seen there"),
  }, ["address", "port"]);
}

function clockSchema(): Schema {
  const members = {
    ...head("clock", "When it holds, by the clock of `host`"),
    other_host: string("Name of the other host"),
    offset_ns: integer("How far the other host's clock is ahead: the middle of the bounds"),
    uncertainty_ns: integer(
      "Half of what lies between the bounds, which hold whatever the network does",
    ),
    drift_ppb: integer("How fast the clocks part, parts per billion"),
    stepped: { description: "Whether a clock was set since the minute before", type: "boolean" },
    packets_seen: integer("Packets that it was taken from"),
  };
  return object(members, ["v", "event", "time", "host", "other_host", "stepped", "packets_seen"]);
}

function delaySchema(): Schema {
  const members = {
    ...head("delay_change", "From when on, by the clock of one of the two hosts"),
    to_host: string("Name of the host that packets were sent to from `host`"),
    by_ns: integer("By how much that way takes longer since then; negative: less long"),
  };
  return object(members, ["v", "event", "time", "host", "to_host", "by_ns"]);
}

import { RECORD_VERSION } from "../record/fields.ts";
import {
  countsOfHandshakes,
  countsOfLosses,
  head,
  integer,
  object,
  quantiles,
  required,
  type Schema,
} from "./schema_parts.ts";

/** The JSON Schema (2020-12) of the last line of NDJSON, which `Summary.encode` writes. */
export function summarySchema(): Schema {
  const members = {
    ...head("summary", "When the trace or the capture ended"),
    duration_ns: integer("How long handshakes were counted (ns)"),
    handshakes: integer("Handshakes that were reported"),
    filtered: integer("Handshakes that filters kept back"),
    ...countsOfHandshakes(),
    rtt: object({
      client: rtt("SYN to SYN-ACK, by packets"),
      server: rtt("SYN-ACK to ACK, by packets"),
      kernel_client: rtt("SYN to SYN-ACK, by the kernel where no packet was seen"),
      kernel_server: rtt("SYN-ACK to ACK, by the kernel where no packet was seen"),
    }),
    ...countsOfLosses(),
  };
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: `synsnoop summary, version ${RECORD_VERSION}`,
    description:
      "What came of a trace, and what it lost. An absent field is unknown, never guessed.",
    ...object(members, required(members, [])),
  };
}

function rtt(meaning: string): Schema {
  return object({
    count: integer(`Handshakes in which it was measured: ${meaning}`),
    ...quantiles(),
  }, ["count"]);
}

import { RECORD_VERSION } from "../record/fields.ts";
import {
  array,
  head,
  integer,
  losses,
  object,
  required,
  type Schema,
  string,
} from "./schema_parts.ts";

/** The JSON Schema (2020-12) of the line that `encodeStatus` writes. */
export function statusSchema(): Schema {
  const members = {
    ...head("status", "When the tracer could see this"),
    version: string("Version of the tool"),
    since: string("When the trace began (RFC 3339, UTC, nine digits)"),
    filters: array(
      "What handshakes had to be to be reported, as given to the tool; none: anything",
      string("A flag and its values"),
    ),
    sample: integer("One of how many handshakes is reported: 1, each"),
    sources: object({
      wire: array(
        "Where packets were captured",
        object({
          netns: integer("Inode number of the network namespace"),
          interface: string("Name of the interface; absent: all of that namespace"),
          up: { description: "Whether packets came from there then", type: "boolean" },
        }, ["netns", "up"]),
      ),
      kernel: string("What hooked the kernel then", ["fentry", "kprobe", "tracepoint", "none"]),
    }),
    handshakes: integer("Handshakes since the trace began that filters let through"),
    written: integer("Records of these that were written to where this line stands"),
    losses: losses(),
    processes: object({
      synsnoop: use("This process"),
      bpftrace: use("The bpftrace that ran beside it then; absent: none did"),
    }, ["synsnoop"]),
  };
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: `synsnoop status, version ${RECORD_VERSION}`,
    description: "What a trace could see at a moment. An absent field is unknown, never guessed.",
    ...object(members, required(members, ["sources", "processes"])),
  };
}

/** What a process takes of the machine. */
function use(description: string): Schema {
  return {
    description,
    ...object({
      cpu_ms: integer("User and system CPU time that it took so far, milliseconds"),
      resident_bytes: integer("Memory that it has now, bytes"),
    }, ["cpu_ms", "resident_bytes"]),
  };
}

import { DOCTOR_HELP } from "../cli/doctor.ts";
import { EXPLAIN_HELP } from "../cli/explain.ts";
import type { Help } from "../cli/help.ts";
import { READ_HELP } from "../cli/read.ts";
import { SCHEMA_HELP } from "../cli/schema.ts";
import { TRACE_HELP } from "../cli/trace.ts";

/** The commands and what each says of itself, in the order in which they are shown. */
export const COMMANDS: readonly (readonly [name: string, help: Help])[] = [
  ["trace", TRACE_HELP],
  ["read", READ_HELP],
  ["explain", EXPLAIN_HELP],
  ["doctor", DOCTOR_HELP],
  ["schema", SCHEMA_HELP],
];

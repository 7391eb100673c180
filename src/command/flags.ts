import { parseArgs } from "@std/cli";
import { UsageError } from "./usage.ts";

/** One flag of a command: parser and help are made of it. */
export interface Flag {
  /** Without the dashes. */
  name: string;
  /** What its value is called in the help; absent: a switch without a value. */
  value?: string;
  /** Whether it may be given more than once, or with several values separated by commas. */
  many?: boolean;
  meaning: string;
}

/** What stood on a command line. */
export interface ParsedFlags {
  /** Switches that were given. */
  switches: ReadonlySet<string>;
  /** Values by flag, each as given, those separated by commas apart. */
  values: ReadonlyMap<string, readonly string[]>;
  /** What is no flag. */
  operands: readonly string[];
}

/**
 * Reads a command line by a table of flags.
 *
 * @param args What follows the command's name.
 * @param flags The table.
 * @throws {UsageError} for an unknown flag, a flag without its value, a switch with one, or a flag
 * given twice that may stand once.
 */
export function parseFlags(args: readonly string[], flags: readonly Flag[]): ParsedFlags {
  const switchNames = flags.filter((flag) => !flag.value).map((flag) => flag.name);
  const valueNames = flags.filter((flag) => flag.value).map((flag) => flag.name);
  const parsed: Record<string, unknown> = parseArgs([...args], {
    boolean: switchNames,
    string: valueNames,
    collect: valueNames,
    unknown: (arg, name) => {
      if (name === undefined) return true;
      const known = flags.map((flag) => `--${flag.name}`).join(", ");
      throw new UsageError(`Unknown flag "${arg}": the flags here are ${known}`);
    },
  });
  const switches = new Set<string>();
  for (const name of switchNames) {
    if (args.some((arg) => arg.startsWith(`--${name}=`))) {
      throw new UsageError(`Cannot use "--${name}" with a value: it is a switch`);
    }
    if (parsed[name] === true) switches.add(name);
  }
  const values = new Map<string, string[]>();
  for (const flag of flags) {
    if (!flag.value) continue;
    const given = (parsed[flag.name] ?? []) as string[];
    if (given.length === 0) continue;
    if (given.some((value) => value === "")) {
      throw new UsageError(`Cannot use "--${flag.name}" without a value: give ${flag.value}`);
    }
    if (given.length > 1 && !flag.many) {
      throw new UsageError(`Cannot use "--${flag.name}" ${given.length} times: give it once`);
    }
    values.set(flag.name, flag.many ? given.flatMap((value) => value.split(",")) : given);
  }
  return { switches, values, operands: (parsed._ as unknown[]).map(String) };
}

/** Writes the help of a table of flags: one aligned line each. */
export function formatFlags(flags: readonly Flag[]): string {
  const heads = flags.map((flag) => `  --${flag.name}${flag.value ? " " + flag.value : ""}`);
  const width = Math.max(...heads.map((head) => head.length));
  return flags.map((flag, index) => `${heads[index].padEnd(width)}  ${flag.meaning}\n`).join("");
}

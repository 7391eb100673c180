import { parseArgs } from "@std/cli";
import { askNearest } from "./nearest.ts";
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
  const parsed: Record<string, unknown> = parseArgs(attachValues(args, flags), {
    boolean: switchNames,
    // `_`: what is no flag is quoted as it was given, numbers too.
    string: [...valueNames, "_"],
    collect: valueNames,
    unknown: (arg, name) => {
      if (name === undefined) return true;
      throw new UsageError(`Unknown flag "${arg}": ${proposeFlags(arg, flags)}`);
    },
  });
  const switches = new Set<string>();
  for (const name of switchNames) {
    if (parsed[name] === true) switches.add(name);
  }
  const values = new Map<string, string[]>();
  for (const flag of flags) {
    if (!flag.value) continue;
    const given = (parsed[flag.name] ?? []) as string[];
    if (given.length === 0) continue;
    if (given.length > 1 && !flag.many) {
      throw new UsageError(`Cannot use "--${flag.name}" ${given.length} times: give it once`);
    }
    const apart = flag.many ? given.flatMap((value) => value.split(",")) : given;
    if (apart.includes("")) {
      throw new UsageError(
        `Cannot use --${flag.name} "${given.join(",")}": a value between the commas is empty`,
      );
    }
    values.set(flag.name, apart);
  }
  return { switches, values, operands: parsed._ as string[] };
}

function proposeFlags(arg: string, flags: readonly Flag[]): string {
  const typed = /^-*([^=]*)/.exec(arg)![1];
  return askNearest(typed, flags.map(({ name }) => name), "--") ??
    `the flags here are ${flags.map(({ name }) => `--${name}`).join(", ")}`;
}

/**
 * Puts each value into the argument of its flag (`--port=80`): the parser would take a value that
 * begins with a dash for a flag of its own, and `true` behind a switch for its value. `-h` is `--help`.
 */
function attachValues(args: readonly string[], flags: readonly Flag[]): string[] {
  const attached: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] === "-h" ? "--help" : args[at];
    if (arg === "--") return [...attached, ...args.slice(at)];
    const [head] = arg.split("=", 1);
    const flag = flags.find((each) => `--${each.name}` === head);
    const own = arg === head ? undefined : arg.slice(head.length + 1);
    const next = args.at(at + 1);
    if (flag === undefined) {
      attached.push(arg);
    } else if (!flag.value) {
      const value = own ?? (next === "true" || next === "false" ? next : undefined);
      if (value !== undefined) {
        throw new UsageError(`Cannot use "--${flag.name}" with "${value}": it takes no value`);
      }
      attached.push(arg);
    } else {
      const value = own ?? (next?.startsWith("--") ? undefined : next);
      if (!value) {
        throw new UsageError(`Cannot use "--${flag.name}" without a value: give ${flag.value}`);
      }
      if (own === undefined) at++;
      attached.push(`--${flag.name}=${value}`);
    }
  }
  return attached;
}

/** Writes the help of a table of flags: one aligned line each. */
export function formatFlags(flags: readonly Flag[]): string {
  const heads = flags.map((flag) => `  --${flag.name}${flag.value ? " " + flag.value : ""}`);
  const width = Math.max(...heads.map((head) => head.length));
  return flags.map((flag, index) => `${heads[index].padEnd(width)}  ${flag.meaning}\n`).join("");
}

import { parseArgs } from "@std/cli";
import { adviseFlag } from "./advice.ts";
import { wrap } from "../../text/wrap.ts";
import { UsageError } from "../usage.ts";

/** What a shell can offer for a value beside words. */
export type Completed = "capture" | "config" | "file" | "folder" | "interface" | "netns" | "user";

/** One flag of a command: parser, help and completions are made of it. */
export interface Flag {
  /** Without the dashes. */
  name: string;
  /** What its value is called in the help; absent: a switch without a value. */
  value?: string;
  /** Whether it may be given more than once, or with several values separated by commas. */
  many?: boolean;
  /** What a shell offers for its value: some words, or what there is of a kind; absent: by its name. */
  completes?: Completed | readonly string[] | (() => readonly string[]);
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
  /** The command behind `--` and its arguments, where one may stand; undefined: there is no `--`. */
  command?: readonly string[];
}

/**
 * Reads a command line by a table of flags.
 *
 * @param args What follows the command's name.
 * @param flags The table.
 * @param takesCommand Whether a command to run may stand behind `--`; else operands do.
 * @throws {UsageError} for an unknown flag, a flag without its value, a switch with one, or a flag
 * given twice that may stand once.
 */
export function parseFlags(
  args: readonly string[],
  flags: readonly Flag[],
  takesCommand = false,
): ParsedFlags {
  const commandAt = takesCommand ? args.indexOf("--") : -1;
  if (commandAt >= 0) {
    const command = args.slice(commandAt + 1);
    if (command.length === 0 || command[0] === "") {
      throw new UsageError("Cannot run nothing: give a command behind --, such as -- curl URL");
    }
    return { ...parseFlags(args.slice(0, commandAt), flags), command };
  }
  const switchNames = flags.filter((flag) => !flag.value).map((flag) => flag.name);
  const valueNames = flags.filter((flag) => flag.value).map((flag) => flag.name);
  const parsed: Record<string, unknown> = parseArgs(withoutGuesses(args, flags), {
    boolean: switchNames,
    // `_`: what is no flag is quoted as it was given, numbers too.
    string: [...valueNames, "_"],
    collect: valueNames,
    unknown: (arg, name) => {
      if (name !== undefined) throw refuse(arg, flags);
    },
  });
  const switches = new Set(switchNames.filter((name) => parsed[name]));
  const values = new Map<string, readonly string[]>();
  for (const flag of flags) {
    if (!flag.value) continue;
    const given = parsed[flag.name] as string[];
    if (given.includes("")) throw lacksValue(flag);
    if (given.length > 1 && !flag.many) {
      throw new UsageError(`Cannot use "--${flag.name}" ${given.length} times: give it once`);
    }
    const apart = flag.many ? given.flatMap((value) => value.split(",")) : given;
    if (apart.includes("")) {
      throw new UsageError(
        `Cannot use --${flag.name} "${
          given.join(",")
        }": there is nothing before or behind a comma; ` +
          "values stand without blanks, as in A,B",
      );
    }
    if (apart.length > 0) values.set(flag.name, apart);
  }
  const operands = parsed._ as string[];
  if (operands.includes("")) {
    throw new UsageError(
      'Cannot use "": it names nothing; leave it out, or set the variable that it was made of',
    );
  }
  return { switches, values, operands };
}

/**
 * Takes away what parseArgs guesses at: it takes a value that begins with a dash for a flag, `true` or
 * `=value` behind a switch for the switch, and `--no-port=80` for `--port=80`. `-h` is `--help`.
 */
function withoutGuesses(args: readonly string[], flags: readonly Flag[]): string[] {
  const clear: string[] = [];
  for (const [at, arg] of args.entries()) {
    if (arg === "--") return [...clear, ...args.slice(at)];
    const before = findFlag(flags, clear.at(-1));
    const [head] = arg.split("=", 1);
    const flag = findFlag(flags, head);
    if (before?.value && /^-(?!-)/.test(arg)) clear.push(`${clear.pop()}=${arg}`);
    else if (before && !before.value && /^(?:true|false)$/.test(arg)) throw takesNone(before, arg);
    else if (flag && !flag.value && arg !== head) throw takesNone(flag, arg.slice(head.length + 1));
    else if (!flag && head.startsWith("--no-")) throw refuse(arg, flags);
    else clear.push(arg === "-h" ? "--help" : arg);
  }
  return clear;
}

function findFlag(flags: readonly Flag[], word: string | undefined): Flag | undefined {
  return flags.find((flag) => `--${flag.name}` === word);
}

function takesNone(flag: Flag, value: string): UsageError {
  return new UsageError(
    `Cannot use "--${flag.name}" with "${value}": it takes no value, give it alone`,
  );
}

function lacksValue(flag: Flag): UsageError {
  return new UsageError(
    `Cannot use "--${flag.name}" without a value: give --${flag.name} ${flag.value}`,
  );
}

/** The error for a flag that parseArgs does not know. To it `--port=` is a flag named `port=`. */
function refuse(arg: string, flags: readonly Flag[]): UsageError {
  const [typed] = arg.replace(/^-+/, "").split("=", 1);
  const flag = arg.endsWith("=") && findFlag(flags, `--${typed}`);
  if (flag) return lacksValue(flag);
  return new UsageError(`Unknown flag "${arg}": ${adviseFlag(typed, flags)}`);
}

/** Columns that a help takes at most: what a terminal has that nobody made wider. */
const HELP_WIDTH = 80;

/** What stands over flags in a help, by the name of the first of them. */
export type FlagHeadings = Readonly<Record<string, string>>;

/** Writes the help of a table of flags: each with its meaning beside it, in 80 columns. */
export function formatFlags(flags: readonly Flag[], headings: FlagHeadings = {}): string {
  const heads = flags.map((flag) => `  --${flag.name}${flag.value ? " " + flag.value : ""}`);
  const indent = Math.max(...heads.map((head) => head.length)) + 2;
  return flags.map(({ name, meaning }, at) => {
    const heading = headings[name];
    const above = heading === undefined ? "" : `${at === 0 ? "" : "\n"}${heading}\n`;
    const lines = wrap(meaning, HELP_WIDTH - indent);
    const head = (nth: number) => (nth === 0 ? heads[at] : "").padEnd(indent);
    return above + lines.map((line, nth) => `${head(nth)}${line}\n`).join("");
  }).join("");
}

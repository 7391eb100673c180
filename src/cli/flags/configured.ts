/**
 * Flags from a configuration file, beside those of the command line, which win.
 *
 * @module
 */
import { messageOf } from "../../text/message.ts";
import { type ConfigEntry, ConfigError, parseConfig } from "./config_file.ts";
import { type Flag, parseFlags } from "./flags.ts";
import { askNearest } from "./nearest.ts";
import { UsageError } from "../usage.ts";

/** The flag that names the file. */
const CONFIG = "config";
/** What only a command line may have. */
const NOT_IN_FILES = [CONFIG, "help"];

/**
 * Runs a command with the flags of its command line and of the configuration file that it may name.
 *
 * @param args What follows the command's name.
 * @param command Its name, which is that of its table in the file, and its flags.
 * @param readText Reads a file. @throws {Error} Its message is the reason alone.
 * @param run Runs it: those of the file stand before those given.
 * @throws {UsageError} One line for the user; what a flag of the file has to do with names its line.
 */
export async function withConfig<T>(
  args: readonly string[],
  { name, flags }: { name: string; flags: readonly Flag[] },
  readText: (path: string) => string,
  run: (args: readonly string[]) => Promise<T>,
): Promise<T> {
  const { values, switches } = parseFlags(args, flags, true);
  const [path] = values.get(CONFIG) ?? [];
  if (path === undefined || switches.has("help")) return await run(args);
  const added = readFlags(path, name, flags, readText)
    .filter(({ flag }) => !values.has(flag.name) && !switches.has(flag.name));
  try {
    return await run([...added.flatMap((each) => each.args), ...args]);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    // Whatever is wrong with a flag, the sentence names it.
    const named = Array.from(error.message.matchAll(/--([a-z-]+)/g), ([, flag]) => flag);
    const culprit = named.flatMap((name) => added.filter(({ flag }) => flag.name === name))[0];
    throw culprit === undefined ? error : wrongLine(path, culprit.line, error.message);
  }
}

interface FlagInFile {
  flag: Flag;
  line: number;
  /** As on a command line. */
  args: string[];
}

function readFlags(
  path: string,
  command: string,
  flags: readonly Flag[],
  readText: (path: string) => string,
): FlagInFile[] {
  let entries: ConfigEntry[];
  try {
    entries = parseConfig(readText(path));
  } catch (error) {
    if (error instanceof ConfigError) throw wrongLine(path, error.line, error.message);
    throw new UsageError(`Cannot use --config "${path}": ${messageOf(error)}`);
  }
  const known = flags.filter(({ name }) => !NOT_IN_FILES.includes(name));
  return entries.map((entry) => {
    const refuse = (reason: string) => wrongLine(path, entry.line, reason);
    if (entry.table !== command) {
      throw refuse(
        `unknown table [${entry.table}]: ` +
          (askNearest(entry.table, [command]) ?? `the one here is [${command}]`),
      );
    }
    const flag = known.find(({ name }) => name === entry.key);
    if (flag === undefined) {
      const names = known.map(({ name }) => name);
      throw refuse(
        `unknown key "${entry.key}": ` +
          (askNearest(entry.key, names) ?? `the keys here are ${names.join(", ")}`),
      );
    }
    return { flag, line: entry.line, args: toArguments(entry, flag, refuse) };
  });
}

/** What stands for a key on a command line. */
function toArguments(
  { key, value }: ConfigEntry,
  flag: Flag,
  refuse: (reason: string) => UsageError,
): string[] {
  if (flag.value === undefined) {
    if (typeof value !== "boolean") throw refuse(`"${key}" is a switch: give true or false`);
    return value ? [`--${key}`] : [];
  }
  if (typeof value === "boolean") throw refuse(`"${key}" takes no ${value}: give ${flag.value}`);
  if (typeof value === "string" || typeof value === "number") {
    if (value === "") throw refuse(`the value of "${key}" is empty: give ${flag.value}`);
    return [`--${key}=${value}`];
  }
  if (!flag.many) throw refuse(`"${key}" takes one value, no list`);
  if (value.includes("")) throw refuse(`a value of "${key}" is empty: give ${flag.value}`);
  return value.map((each) => `--${key}=${each}`);
}

function wrongLine(path: string, line: number, reason: string): UsageError {
  return new UsageError(`Cannot use "${path}", line ${line}: ${reason}`);
}

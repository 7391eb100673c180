/** `--name`, `--name=value`. The published parser takes `--no-name=value` for `--name=value`. */
const LONG_OPTION = /^--(?<no>no-)?(?<name>.+?)(?:=(?<value>.+))?$/s;
/** `-a`, `-abc`, but not the lone `-` that stands for a standard stream. */
const SHORT_OPTIONS = /^-(?<letter>[^-])/s;

/** The options of {@linkcode parseArgs}. */
export interface ParseOptions<
  TBooleans extends string = string,
  TStrings extends string = string,
  TCollectable extends string = string,
> {
  /** Options without a value, `false` where absent. */
  boolean?: readonly TBooleans[];

  /** Options whose value stays a string. Where it is missing it is `""`. */
  string?: readonly TStrings[];

  /** Options that may be repeated: their values form an array, `[]` where absent. */
  collect?: readonly TCollectable[];

  /**
   * Called for each argument that no other option names: `arg` as it was written, and the name where
   * it is an option. When it returns `false` the argument is left out of the result.
   */
  unknown?: (arg: string, key?: string) => unknown;
}

/** The value returned from {@linkcode parseArgs}. */
export type Args<TBooleans extends string, TStrings extends string, TCollectable extends string> =
  & { [name: string]: unknown }
  & { [Name in TBooleans]: boolean }
  & { [Name in Extract<TStrings, TCollectable>]: string[] }
  & { [Name in Exclude<TStrings, TCollectable | "_">]?: string }
  & {
    /** The arguments that belong to no option. */
    _: Array<string | number>;
  };

/**
 * Parses command-line arguments.
 *
 * `--name value`, `--name=value` and `--name` are options; the rest, a lone `-` included, is in `_`.
 * Nothing after `--` is an option. What looks like a number is a number unless the option, or `_`, is
 * named in `string`. Of a repeated option the last value counts, unless it is named in `collect`.
 *
 * @param args The arguments, such as `Deno.args`.
 * @param options Which options there are.
 * @returns The value of each option, and the other arguments in `_`.
 * @throws {TypeError} For a single letter such as `-v` that `unknown` does not refuse: the published
 * package would parse it.
 *
 * @example
 * ```ts
 * import { parseArgs } from "@std/cli";
 *
 * const args = parseArgs(["--json", "--port", "443", "file"], {
 *   boolean: ["json"],
 *   string: ["port"],
 * });
 * console.log(args); // { _: [ "file" ], json: true, port: "443" }
 * ```
 */
export function parseArgs<
  TBooleans extends string = never,
  TStrings extends string = never,
  TCollectable extends string = never,
>(
  args: string[],
  options: ParseOptions<TBooleans, TStrings, TCollectable> = {},
): Args<TBooleans, TStrings, TCollectable> {
  const booleans = new Set<string>(options.boolean);
  const strings = new Set<string>(options.string);
  const collected = new Set<string>(options.collect);
  const refuses = (...found: [arg: string, key?: string]) => options.unknown?.(...found) === false;
  const typed = (name: string, value: string) =>
    strings.has(name) || !/\S/.test(value) || !isFinite(Number(value)) ? value : Number(value);

  const result: Record<string, unknown> & { _: Array<string | number> } = { _: [] };
  for (const name of booleans) result[name] = collected.has(name) ? [] : false;
  for (const name of strings) if (collected.has(name)) result[name] = [];
  const set = (arg: string, name: string, value: string | boolean) => {
    if (!booleans.has(name) && !strings.has(name) && refuses(arg, name)) return;
    const last = typeof value === "string" ? typed(name, value) : value;
    const before = Object.hasOwn(result, name) ? result[name] : undefined;
    if (!collected.has(name)) result[name] = last;
    else if (Array.isArray(before)) before.push(last);
    else result[name] = [last];
  };

  const end = args.includes("--") ? args.indexOf("--") : args.length;
  for (let at = 0; at < end; at++) {
    const arg = args[at];
    const long = LONG_OPTION.exec(arg)?.groups;
    const letter = SHORT_OPTIONS.exec(arg)?.groups?.letter;
    if (letter !== undefined) {
      if (refuses(arg, letter)) continue;
      throw new TypeError(`Cannot parse "${arg}": this stand-in reads no single letters`);
    } else if (long === undefined) {
      if (!refuses(arg)) result._.push(typed("_", arg));
    } else if (long.value !== undefined) {
      const { name, value } = long;
      set(arg, name, booleans.has(name) ? value !== "false" : value);
    } else {
      const name = `${long.no ?? ""}${long.name}`;
      const next = at + 1 < end ? args[at + 1] : "";
      const isValue = next !== "" && !booleans.has(name) && !next.startsWith("-");
      const isBoolean = next === "true" || next === "false";
      if (isValue || isBoolean) at++;
      set(arg, name, isValue ? next : isBoolean ? next === "true" : !strings.has(name) || "");
    }
  }
  result._.push(...args.slice(end + 1));
  // The static type is computed from the same options that fill the result.
  return result as Args<TBooleans, TStrings, TCollectable>;
}

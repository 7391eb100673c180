import type {
  Args,
  BooleanType,
  DefaultType,
  NameType,
  ParseOptions,
  Values,
} from "./parse_options.ts";

/** `--name`, `--no-name`, `--name=value`. */
const LONG_OPTION = /^--(?<no>no-)?(?<name>.+?)(?:=(?<value>.+))?$/s;
/** `-a`, `-abc`, `-n5`, but not the lone `-` that stands for a standard stream. */
const SHORT_OPTIONS = /^-(?<letters>[^-].*)$/s;
/** Decimal with an optional exponent, or hexadecimal. */
const NUMBER = /^(?:0[xX][0-9a-fA-F]+|[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[-+]?\d+)?)$/;
/** What follows a letter and is its value: `=value`. */
const ASSIGNED_TO_LETTER = /=(?<value>.+)/;
/** What follows a letter and is its value: something that ends in a number. */
const ENDS_IN_NUMBER = /-?\d+(?:\.\d*)?(?:e-?\d+)?$/;

/**
 * Parses command-line arguments.
 *
 * `--name value`, `--name=value`, `--name`, `-n value`, `-n5`, `-abc` and `--no-name` are options;
 * the rest, a lone `-` included, is in `_`. Nothing after `--` is an option. What looks like a
 * number is a number unless the option is named in `string`. Of a repeated option the last value
 * counts, unless it is named in `collect`.
 *
 * @param args The arguments, such as `Deno.args`.
 * @param options Which options there are.
 * @returns The value of each option, and the other arguments in `_`.
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
  TBooleans extends BooleanType = undefined,
  TStrings extends NameType = undefined,
  TCollectable extends NameType = undefined,
  TNegatable extends NameType = undefined,
  TDefault extends DefaultType = undefined,
  TDoubleDash extends boolean | undefined = undefined,
>(
  args: string[],
  options: ParseOptions<
    TBooleans,
    TStrings,
    TCollectable,
    TNegatable,
    TDefault,
    TDoubleDash
  > = {},
): Args<Values<TBooleans, TStrings, TCollectable, TNegatable, TDefault>, TDoubleDash> {
  const parser = new Parser(options);
  parser.parse(args);
  // The static type is computed from the same options that fill the result.
  return parser.result as ReturnType<
    typeof parseArgs<TBooleans, TStrings, TCollectable, TNegatable, TDefault, TDoubleDash>
  >;
}

class Parser {
  readonly result: Record<string, unknown> & { _: Array<string | number> } = { _: [] };
  readonly #options: ParseOptions;
  readonly #aliases = new Map<string, string[]>();
  readonly #booleans: Set<string>;
  readonly #strings: Set<string>;
  readonly #collected: Set<string>;
  readonly #negatable: Set<string>;
  readonly #allBoolean: boolean;

  constructor(options: ParseOptions) {
    this.#options = options;
    for (const [name, others] of Object.entries(options.alias ?? {})) {
      const family = [name, ...[others].flat()];
      for (const member of family) {
        this.#aliases.set(member, family.filter((other) => other !== member));
      }
    }
    this.#allBoolean = options.boolean === true;
    this.#booleans = this.#named(typeof options.boolean === "boolean" ? [] : options.boolean);
    this.#strings = this.#named(options.string);
    this.#collected = this.#named(options.collect);
    this.#negatable = this.#named(options.negatable);
  }

  parse(args: string[]): void {
    const end = args.indexOf("--");
    const rest = end === -1 ? [] : args.slice(end + 1);
    const own = end === -1 ? args : args.slice(0, end);
    for (let i = 0; i < own.length; i++) {
      const arg = own[i];
      const long = LONG_OPTION.exec(arg)?.groups;
      const short = SHORT_OPTIONS.exec(arg)?.groups;
      if (long) {
        i += this.#long(arg, long, own[i + 1]);
      } else if (short) {
        i += this.#short(arg, short.letters, own[i + 1]);
      } else {
        this.#positional(arg);
        if (this.#options.stopEarly) {
          this.result._.push(...own.slice(i + 1));
          break;
        }
      }
    }
    this.#fill();
    if (this.#options["--"]) this.result["--"] = rest;
    else this.result._.push(...rest);
  }

  /** The names an option lists, each with its aliases. */
  #named(names: string | readonly string[] = []): Set<string> {
    return new Set([names].flat().flatMap((name) => [name, ...this.#aliases.get(name) ?? []]));
  }

  /** Takes one `--` argument. Returns how many arguments after it were its value: 0 or 1. */
  #long(arg: string, found: Record<string, string | undefined>, next: string | undefined): number {
    let name = found.name!;
    if (found.value !== undefined) {
      const { value } = found;
      this.#set(name, this.#booleans.has(name) ? value !== "false" : value, arg);
      return 0;
    }
    if (found.no) {
      if (this.#negatable.has(name)) {
        this.#store(name, false, arg, false);
        return 0;
      }
      name = `no-${name}`;
    }
    const isValue = !this.#allBoolean && !next?.startsWith("-");
    return this.#setWithNext(name, arg, next, isValue);
  }

  /** Takes one argument of single letters. Returns as {@linkcode Parser.#long} does. */
  #short(arg: string, letters: string, next: string | undefined): number {
    const last = letters.length - 1;
    for (let i = 0; i < last; i++) {
      const letter = letters[i];
      const after = letters.slice(i + 1);
      if (after === "-") {
        this.#set(letter, "-", arg);
        return 0;
      }
      if (/[A-Za-z]/.test(letter)) {
        const assigned = ASSIGNED_TO_LETTER.exec(after)?.groups?.value;
        if (assigned !== undefined || ENDS_IN_NUMBER.test(after)) {
          this.#set(letter, assigned ?? after, arg);
          return 0;
        }
      }
      if (i + 1 < last && /\W/.test(after[0])) {
        this.#set(letter, after, arg);
        return 0;
      }
      this.#set(letter, this.#bare(letter), arg);
    }
    const isValue = next === undefined || !/^--?[^-]/.test(next);
    return this.#setWithNext(letters[last], arg, next, isValue);
  }

  /** Sets an option that has no value in its own argument; the next one may be it. */
  #setWithNext(name: string, arg: string, next: string | undefined, isValue: boolean): number {
    if (next && isValue && !this.#booleans.has(name)) {
      this.#set(name, next, arg);
      return 1;
    }
    if (next === "true" || next === "false") {
      this.#set(name, next === "true", arg);
      return 1;
    }
    this.#set(name, this.#bare(name), arg);
    return 0;
  }

  /** The value of an option that has none. */
  #bare(name: string): string | boolean {
    return this.#strings.has(name) ? "" : true;
  }

  #positional(arg: string): void {
    if (this.#options.unknown?.(arg) === false) return;
    this.result._.push(this.#typed("_", arg));
  }

  #set(name: string, value: string | boolean, arg: string): void {
    this.#store(name, value, arg, this.#collected.has(name));
  }

  #store(name: string, value: string | boolean, arg: string, collect: boolean): void {
    const known = this.#booleans.has(name) || this.#strings.has(name) || this.#aliases.has(name) ||
      (this.#allBoolean && /^--[^=]+$/.test(arg));
    if (!known && this.#options.unknown?.(arg, name, value) === false) return;
    const typed = typeof value === "string" ? this.#typed(name, value) : value;
    for (const key of [name, ...this.#aliases.get(name) ?? []]) {
      const before = this.result[key];
      if (!collect) this.result[key] = typed;
      else if (Array.isArray(before)) before.push(typed);
      else this.result[key] = [typed];
    }
  }

  #typed(name: string, value: string): string | number {
    return !this.#strings.has(name) && NUMBER.test(value) ? Number(value) : value;
  }

  /** Gives the options that were absent their defaults. */
  #fill(): void {
    const absent = (name: string) => !Object.hasOwn(this.result, name);
    for (const [name, value] of Object.entries(this.#options.default ?? {})) {
      if (!absent(name)) continue;
      for (const key of [name, ...this.#aliases.get(name) ?? []]) this.result[key] = value;
    }
    for (const name of this.#booleans) {
      if (absent(name)) this.result[name] = this.#collected.has(name) ? [] : false;
    }
    for (const name of this.#strings) {
      if (absent(name) && this.#collected.has(name)) this.result[name] = [];
    }
  }
}

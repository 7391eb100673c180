/**
 * Configuration files: a part of TOML 1.0, refused beyond it.
 *
 * TOML, because values need quoting, lists and comments, and people know it. A part of it, by our own
 * hand: a library would be a dependency of a process that runs as root, for a file of ten lines. Every
 * file that is read here means the same to every reader of TOML.
 *
 * @module
 */
/** What a key may have. */
export type ConfigValue = string | number | boolean | readonly (string | number)[];

/** A key with its value. */
export interface ConfigEntry {
  /** The table it stands in. */
  readonly table: string;
  readonly key: string;
  readonly value: ConfigValue;
  /** The number of its line, from 1 on. */
  readonly line: number;
}

/** A line that cannot be taken. Its message is the reason alone. */
export class ConfigError extends Error {
  override name = "ConfigError";
  /** The number of the line, from 1 on. */
  readonly line: number;

  /** Makes the error of a line. */
  constructor(line: number, reason: string) {
    super(reason);
    this.line = line;
  }
}

const BLANKS = /^[ \t]*/;
const BARE = /^[A-Za-z0-9_-]+/;
const COMMENT_END = /^[ \t]*(?:#(?:\P{Cc}|\t)*)?$/u;
const NUMBER = /^[+-]?(?:0|[1-9]\d*)(?:\.\d+)?(?![\w.+-])/;
const BOOLEAN = /^(?:true|false)(?![\w.+-])/;
/** Of TOML's forms those that stand on one line. */
const BASIC_STRING = /^"((?:[^"\\\p{Cc}]|\t|\\.)*)"/u;
const LITERAL_STRING = /^'((?:[^'\p{Cc}]|\t)*)'/u;
const ESCAPE = /\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))/gu;
const ESCAPED: Readonly<Record<string, string>> = {
  b: "\b",
  t: "\t",
  n: "\n",
  f: "\f",
  r: "\r",
  '"': '"',
  "\\": "\\",
};
const SHOWN_LENGTH = 40;

/**
 * Reads the text of a configuration file: tables (`[trace]`), keys of letters, digits, `_` and `-` with
 * strings, decimal numbers, booleans and lists on one line of strings and numbers, and comments.
 *
 * @returns The keys in their order, each once in its table.
 * @throws {ConfigError} The first line that is none of these.
 */
export function parseConfig(text: string): ConfigEntry[] {
  const entries: ConfigEntry[] = [];
  const tables = new Set<string>();
  let table: string | undefined;
  for (const [at, whole] of text.split("\n").entries()) {
    const line = new LineReader(whole.endsWith("\r") ? whole.slice(0, -1) : whole, at + 1);
    if (line.isDone()) continue;
    if (line.takes("[")) {
      table = line.bare("a table's name, as in [trace]");
      if (!line.takes("]")) throw line.refuse("a table is written [name]");
      if (tables.has(table)) throw line.error(`the table [${table}] stands there twice`);
      tables.add(table);
    } else {
      const key = line.bare("a key, as in port = 443");
      if (table === undefined) {
        throw line.error(`the key "${key}" stands in no table: write one above it, as in [trace]`);
      }
      if (!line.takes("=")) throw line.refuse(`after the key "${key}" comes = and its value`);
      if (entries.some((entry) => entry.table === table && entry.key === key)) {
        throw line.error(`the key "${key}" stands there twice`);
      }
      entries.push({ table, key, value: line.value(), line: at + 1 });
    }
    if (!line.isDone()) throw line.refuse("behind it only a comment may stand");
  }
  return entries;
}

/** One line, read from its start on. */
class LineReader {
  #rest: string;
  readonly #number: number;

  constructor(text: string, number: number) {
    this.#rest = text;
    this.#number = number;
  }

  /** Whether nothing is left but a comment. */
  isDone(): boolean {
    return COMMENT_END.test(this.#rest);
  }

  takes(character: string): boolean {
    this.#skip();
    if (!this.#rest.startsWith(character)) return false;
    this.#rest = this.#rest.slice(character.length);
    return true;
  }

  bare(what: string): string {
    return this.#match(BARE)?.[0] ?? this.#expected(what);
  }

  value(): ConfigValue {
    if (!this.takes("[")) {
      const boolean = this.#match(BOOLEAN)?.[0];
      return boolean === undefined ? this.#scalar() : boolean === "true";
    }
    const values: (string | number)[] = [];
    while (!this.takes("]")) {
      values.push(this.#scalar());
      if (this.takes("]")) break;
      if (!this.takes(",")) throw this.refuse("a list is written [one, other] on one line");
    }
    return values;
  }

  #scalar(): string | number {
    this.#skip();
    // Three begin a string of several lines.
    if (/^(?:"""|''')/.test(this.#rest)) throw this.refuse("a string stands on one line");
    const literal = this.#match(LITERAL_STRING);
    if (literal) return literal[1];
    const basic = this.#match(BASIC_STRING);
    if (basic) return this.#unescape(basic[1]);
    const number = this.#match(NUMBER)?.[0];
    if (number === undefined) {
      return this.#expected(
        'a "string" in quotes, a decimal number, true, false or a [list] of them',
      );
    }
    if (!Number.isSafeInteger(Math.trunc(Number(number)))) {
      throw this.error(`the number ${number} is too large`);
    }
    return Number(number);
  }

  #unescape(text: string): string {
    return text.replace(ESCAPE, (escape, short, long, character) => {
      const code = Number.parseInt(short ?? long ?? "", 16);
      if (Number.isNaN(code)) {
        const meant = ESCAPED[character];
        if (meant === undefined) throw this.error(`"${escape}" means nothing in a string`);
        return meant;
      }
      if (code > 0x10ffff || code >= 0xd800 && code <= 0xdfff) {
        throw this.error(`"${escape}" is no character`);
      }
      return String.fromCodePoint(code);
    });
  }

  #skip(): void {
    this.#rest = this.#rest.replace(BLANKS, "");
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    this.#skip();
    const found = pattern.exec(this.#rest) ?? undefined;
    if (found) this.#rest = this.#rest.slice(found[0].length);
    return found;
  }

  #expected(what: string): never {
    throw this.refuse(`give ${what}`);
  }

  error(reason: string): ConfigError {
    return new ConfigError(this.#number, reason);
  }

  refuse(advice: string): ConfigError {
    this.#skip();
    const shown = this.#rest.slice(0, SHOWN_LENGTH);
    return this.error(
      shown === "" ? `the line ends too soon: ${advice}` : `at ${shown}: ${advice}`,
    );
  }
}

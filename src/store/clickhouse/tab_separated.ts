/**
 * Rows as ClickHouse writes them: `TabSeparatedWithNamesAndTypes`, whatever pieces the bytes come in.
 *
 * @module
 */
import type { Value } from "../query/duckdb.ts";
import { ServerError } from "./server_error.ts";

/** The longest row that is taken, characters: a server that sends more sends no answer of ours. */
const ROW_MAX = 4 << 20;
const ESCAPES: Readonly<Record<string, string>> = {
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  0: "\0",
};
const NUMBER = /^(?:Nullable\()?(?:U?Int(?:8|16|32|64)|Float(?:32|64))\)?$/;
/** Integers of more digits are kept as text, since not all of them fit a number. */
const SAFE_DIGITS = 15;

/** Reads rows. */
export class TabSeparatedReader {
  readonly #decoder = new TextDecoder();
  #rest = "";
  #names: string[] | undefined;
  #columns: { name: string; type: string; isNumber: boolean }[] | undefined;

  /** The columns, once their names and types have come. */
  get columns(): { name: string; type: string }[] {
    return (this.#columns ?? []).map(({ name, type }) => ({ name, type }));
  }

  /** Takes bytes. @returns The rows that are complete. @throws {ServerError} These are none. */
  take(bytes: Uint8Array): Value[][] {
    const lines = (this.#rest + this.#decoder.decode(bytes, { stream: true })).split("\n");
    this.#rest = lines.pop()!;
    if (this.#rest.length > ROW_MAX) {
      throw new ServerError("foreign", `Cannot read a row of more than ${ROW_MAX} characters`);
    }
    const rows: Value[][] = [];
    for (const line of lines) {
      const row = this.#line(line);
      if (row !== undefined) rows.push(row);
    }
    return rows;
  }

  /** The end. @throws {ServerError} The last row is not complete. */
  end(): void {
    if (this.#rest === "" && this.#columns !== undefined) return;
    throw new ServerError("unreachable", "The answer ends in the middle");
  }

  #line(line: string): Value[] | undefined {
    const cells = line.split("\t");
    if (this.#names === undefined) {
      this.#names = cells.map(unescape);
      return undefined;
    }
    if (cells.length !== this.#names.length) {
      throw new ServerError(
        "foreign",
        `Cannot read the answer: a row has ${cells.length} values, not ${this.#names.length}`,
      );
    }
    if (this.#columns === undefined) {
      this.#columns = cells.map((cell, at) => {
        const type = unescape(cell).replace(/^LowCardinality\((.*)\)$/, "$1");
        return { name: this.#names![at], type, isNumber: NUMBER.test(type) };
      });
      return undefined;
    }
    return cells.map((cell, at) => valueOf(cell, this.#columns![at].isNumber));
  }
}

function valueOf(cell: string, isNumber: boolean): Value {
  if (cell === "\\N") return null;
  if (!isNumber) return unescape(cell);
  // A share of nothing.
  if (/^[+-]?(?:nan|inf)$/.test(cell)) return null;
  return /^-?\d+$/.test(cell) && cell.length > SAFE_DIGITS ? cell : Number(cell);
}

function unescape(cell: string): string {
  if (!cell.includes("\\")) return cell;
  return cell.replaceAll(/\\([^])/g, (_, next: string) => ESCAPES[next] ?? next);
}

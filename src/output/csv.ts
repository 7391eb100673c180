/**
 * Handshakes as comma-separated values (RFC 4180), for spreadsheets and databases.
 *
 * @module
 */
import type { Handshake } from "../match/handshake.ts";
import type { Field, FieldValue } from "../record/field.ts";
import type { RecordContext } from "../record/record_context.ts";
import type { ByteText } from "../text/byte_text.ts";
import { csvCell } from "../text/csv.ts";
import type { TextFormat } from "./text_sink.ts";

/**
 * A line of headings, then one a handshake: numbers as in NDJSON, what is unknown empty, several values
 * of a field joined by spaces.
 */
export class CsvFormat implements TextFormat {
  readonly #fields: readonly Field[];
  #headed = false;

  /** Writes nothing yet. @param fields The columns. */
  constructor(fields: readonly Field[]) {
    this.#fields = fields;
  }

  /** Its columns. */
  get reads(): readonly string[] {
    return this.#fields.map(({ path }) => path);
  }

  /** Its line, below the headings if it is the first. */
  take(handshake: Handshake, context: RecordContext, into: ByteText): void {
    into.text(this.#heading());
    const cells = this.#fields.map(({ get }) => formatCell(get(handshake, context)));
    into.text(cells.join(",") + "\r\n");
  }

  /** The headings where no handshake came. */
  end(): string {
    return this.#heading();
  }

  #heading(): string {
    if (this.#headed) return "";
    this.#headed = true;
    return this.#fields.map(({ path }) => path).join(",") + "\r\n";
  }
}

function formatCell(value: FieldValue | undefined): string {
  if (value === undefined || value === null) return "";
  if (typeof value === "number" || typeof value === "boolean") return csvCell(value);
  return csvCell(Array.isArray(value) ? value.join(" ") : String(value));
}

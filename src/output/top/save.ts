/**
 * What is written into files that the user asks for.
 *
 * @module
 */
import { RecordEncoder } from "../../record/ndjson.ts";
import { ByteText } from "../../text/byte_text.ts";
import { formatTime } from "../../text/time.ts";
import type { KeptHandshake } from "./kept_handshakes.ts";
import type { ScreenLine } from "./screen_line.ts";

/** Handshakes as NDJSON, the oldest first. @param list The latest first. */
export function saveHandshakes(list: readonly KeptHandshake[]): string {
  const encoder = new RecordEncoder();
  const text = new ByteText();
  const inOrder = [...list].sort((one, other) => one.number - other.number);
  for (const { handshake, context } of inOrder) encoder.write(text, handshake, context);
  return text.toString();
}

/** The ladder and what is said of it, as text without colours. */
export function saveLadder(lines: readonly ScreenLine[]): string {
  return lines.map((line) => line.map(({ text }) => text).join("").trimEnd() + "\n").join("");
}

/** A name for a file that tells when it was made. @param now Whole seconds of Unix time. */
export function nameOfFile(now: number, isText: boolean): string {
  const time = formatTime(now, 0).slice(0, 19).replaceAll(":", "");
  return `synsnoop-${time}.${isText ? "txt" : "ndjson"}`;
}

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder();

/**
 * A text as it is, or, where it is longer than anybody reads, its start and `…`. What is cut off is freed:
 * a slice alone would hold the whole text.
 *
 * @param max UTF-16 code units that are left at most, beside the `…`.
 */
export function shorten(text: string, max: number): string {
  if (text.length <= max) return text;
  return DECODER.decode(ENCODER.encode(text.slice(0, max))) + "…";
}

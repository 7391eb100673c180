/**
 * Says how many there are of something: `1 record`, `2 records`.
 *
 * @param one What is said after 1. @param many After any other number: `one` and an s where it is absent.
 * @param number How the number is written.
 */
export function countOf(
  count: number,
  one: string,
  many = `${one}s`,
  number: (count: number) => string = String,
): string {
  return `${number(count)} ${count === 1 ? one : many}`;
}

/** A number with commas: `12,345`. */
export function withCommas(value: number): string {
  return value.toLocaleString("en");
}

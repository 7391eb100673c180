/**
 * Writes a number of 32 bits, such as a sequence number, as it stands in packets and files: `0x4ce45750`.
 *
 * @param number From 0 to 2^32 - 1.
 */
export function formatHexadecimal(number: number): string {
  return "0x" + number.toString(16).padStart(8, "0");
}

import { messageOf } from "../../text/message.ts";

/** More than anybody writes by hand. */
const LENGTH_MAX_BYTES = 1 << 20;

/**
 * Reads the text of a configuration file.
 *
 * @throws {Error} Its message is the reason alone.
 */
export function readConfigText(path: string): string {
  let bytes: Uint8Array;
  try {
    const { isFile, size } = Deno.statSync(path);
    // Of a FIFO one might wait for ever, and a device never ends.
    if (!isFile) throw new Error("it is no regular file");
    if (size > LENGTH_MAX_BYTES) throw new Error("it is larger than 1 MB");
    bytes = Deno.readFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) throw new Error("there is no such file");
    if (error instanceof Deno.errors.PermissionDenied) throw new Error("permission denied");
    throw new Error(messageOf(error).split("\n")[0]);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Error("it is no UTF-8");
  }
}

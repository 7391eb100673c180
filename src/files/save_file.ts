import { countOf } from "../text/count.ts";
import { messageOf } from "../text/message.ts";

/** Mode of a new file, less the umask: as that of every other file of records. */
const MODE = 0o640;

/**
 * Writes a new file; nothing that is there is touched, nor followed.
 *
 * @returns One sentence of what became of it.
 */
export async function saveFile(path: string, text: string): Promise<string> {
  try {
    await Deno.writeTextFile(path, text, { createNew: true, mode: MODE });
    const lines = text.split("\n").length - 1;
    return `saved ${countOf(lines, "line")} in "${path}"`;
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) {
      return `Cannot save "${path}": it is there already; give another name`;
    }
    return `Cannot save "${path}": ${messageOf(error)}`;
  }
}

/** More than any password has. */
const READ_MAX_BYTES = 4_096;
/** Bits of `st_mode` by which others than the owner and his group may read it (inode(7)). */
const OF_OTHERS = 0o004;

/** A password, and whether everybody may read it. */
export interface SecretFile {
  secret: string;
  isPublic: boolean;
}

/**
 * Reads a password from the first line of a file or a pipe.
 *
 * @throws {Error} The reason, for the end of a sentence; it holds nothing of the file.
 */
export function readSecretFile(path: string): SecretFile {
  using file = openFile(path);
  const { mode, isFile } = file.statSync();
  const bytes = new Uint8Array(READ_MAX_BYTES + 1);
  let length = 0;
  for (let count: number | null = 0; count !== null && length < bytes.length;) {
    count = file.readSync(bytes.subarray(length));
    length += count ?? 0;
  }
  if (length > READ_MAX_BYTES) throw new Error(`it has more than ${READ_MAX_BYTES} bytes`);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, length));
  } catch {
    throw new Error("it is no UTF-8");
  }
  const secret = text.replace(/\r?\n$/, "");
  if (secret === "") throw new Error("it is empty");
  if (/[\r\n\0]/.test(secret)) throw new Error("it has more than one line");
  return { secret, isPublic: isFile && mode !== null && (mode & OF_OTHERS) !== 0 };
}

function openFile(path: string): Deno.FsFile {
  try {
    return Deno.openSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) throw new Error("there is no such file");
    if (error instanceof Deno.errors.PermissionDenied) throw new Error("permission denied");
    throw error;
  }
}

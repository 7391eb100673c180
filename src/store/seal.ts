/**
 * Seals a segment whose hour is over: compresses it, and removes what it was made of.
 *
 * @module
 */
import { createReadStream, createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { constants, createZstdCompress } from "node:zlib";
import { SEALED } from "./segment_name.ts";

/** Begins the name of what is not whole yet: a crash may leave it behind. */
export const UNFINISHED = ".unfinished.";
/** What zstd itself takes where nobody says: a tenth of NDJSON is left. */
const LEVEL = 3;
const PIECE_BYTES = 64 * 1024;

/**
 * Compresses a segment. At each moment all its bytes are under one of its two names, and under the new
 * one only once they are on the disk. Two that seal one segment at once do each other no harm.
 *
 * @param path Of the segment as it was written. @param sealer Tells this process from others.
 * @throws {Error} It cannot; then the segment is as it was.
 */
export async function seal(path: string, sealer: string): Promise<void> {
  const slash = path.lastIndexOf("/") + 1;
  const unfinished = `${path.slice(0, slash)}${UNFINISHED}${sealer}.${path.slice(slash)}`;
  const { uid, gid, mode, isFile } = Deno.lstatSync(path);
  // A link could lead to what others must not read.
  if (!isFile) throw new Error("it is no regular file");
  try {
    await pipeline(
      createReadStream(path, { highWaterMark: PIECE_BYTES }),
      createZstdCompress({
        params: {
          [constants.ZSTD_c_compressionLevel]: LEVEL,
          [constants.ZSTD_c_checksumFlag]: 1,
        },
      }),
      createWriteStream(unfinished, { flags: "wx", mode: (mode ?? 0o640) & 0o777 }),
    );
    Deno.chownSync(unfinished, uid, gid);
    using file = Deno.openSync(unfinished, { write: true });
    file.syncSync();
    Deno.renameSync(unfinished, path + SEALED);
  } catch (error) {
    removeIfThere(unfinished);
    throw error;
  }
  removeIfThere(path);
}

/** Removes a file; that another has done it before is as good. @throws {Deno.errors} It cannot. */
export function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

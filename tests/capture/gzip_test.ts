// What is read of damaged gzip, against what gzip(1) and Python's zlib decompress of the same bytes.
// Covers src/files/decompress.ts
// Covers src/files/gzip_members.ts
import { assert, assertEquals } from "@std/assert";
import { gzipSync } from "node:zlib";
import { decompressGzip } from "../../src/files/decompress.ts";
import { InputError } from "../../src/files/input_error.ts";
import { concat } from "../unit/wire/build_frame.ts";
import { Folder } from "../folder.ts";
import { Random } from "../random.ts";

/** Lines that compress to about a third, with blocks of codes of their own. */
function text(random: Random, lines: number): Uint8Array<ArrayBuffer> {
  const line = () => `{"port":${random.below(65_536)},"rtt_us":${random.below(1_000)}}\n`;
  return new TextEncoder().encode(Array.from({ length: lines }, line).join(""));
}

/** What is handed out of a file, and whether it is said to be damaged. */
async function decompress(bytes: Uint8Array<ArrayBuffer>) {
  const chunks: Uint8Array[] = [];
  let says = "";
  try {
    const pieces = ReadableStream.from([bytes]);
    for await (const chunk of decompressGzip(pieces)) chunks.push(Uint8Array.from(chunk));
  } catch (error) {
    assert(error instanceof InputError, String(error));
    says = error.message;
  }
  return { made: concat(...chunks), says };
}

async function gunzip(path: string) {
  const { code, stdout } = await new Deno.Command("gzip", { args: ["-dc", path] }).output();
  return { made: stdout, isDamaged: code !== 0 };
}

/** Decompresses each file given, a byte at a time, so that nothing made before an error is lost. */
const PYTHON = `
import sys, zlib
for path in sys.argv[1:]:
    data, made, state = open(path, "rb").read(), b"", zlib.decompressobj(31)
    try:
        for byte in data:
            if state.eof:
                if byte == 0: break
                state = zlib.decompressobj(31)
            made += state.decompress(bytes([byte]))
    except zlib.error: pass
    open(path + ".python", "wb").write(made)
`;

function startsWith(bytes: Uint8Array, begin: Uint8Array): boolean {
  return begin.length <= bytes.length && begin.every((byte, at) => bytes[at] === byte);
}

Deno.test("read takes of damaged gzip no less than gzip(1) and Python's zlib", async () => {
  using folder = new Folder();
  const random = new Random(1952);
  const files = Array.from({ length: 120 }, (_, at) => {
    const members = [gzipSync(text(random, 40 + random.below(4_000)))];
    if (random.below(2)) members.push(gzipSync(text(random, 20), { level: random.below(10) }));
    let bytes = concat(...members);
    const place = 10 + random.below(bytes.length - 10);
    if (at % 4 === 0) bytes = bytes.with(place, bytes[place] ^ 1 << random.below(8));
    if (at % 4 === 1) bytes = bytes.subarray(0, place);
    if (at % 4 === 2) bytes = concat(bytes, text(random, 1));
    if (at % 4 === 3) bytes = concat(bytes, new Uint8Array(random.below(2_000)));
    const copy = Uint8Array.from(bytes);
    return { bytes: copy, kind: at % 4, path: folder.write(`${at}.gz`, copy) };
  });
  const paths = files.map(({ path }) => path);
  const python = await new Deno.Command("python3", { args: ["-c", PYTHON, ...paths] }).output();
  assertEquals(new TextDecoder().decode(python.stderr), "");
  for (const { bytes, kind, path } of files) {
    const { made, says } = await decompress(bytes);
    const gzip = await gunzip(path);
    const byPython = await Deno.readFile(`${path}.python`);
    assert(startsWith(made, byPython), `${path}: ${made.length} of ${byPython.length}`);
    // Gzip(1) goes on behind a distance that reaches before the first byte, with bytes that are not there.
    const isTooFar = kind === 0 && says.endsWith("invalid distance too far back");
    const gzips = isTooFar ? gzip.made.subarray(0, made.length) : gzip.made;
    assert(startsWith(made, gzips), `${path}: ${made.length} of ${gzip.made.length}`);
    // Of zeros gzip(1) warns.
    assertEquals(says !== "", kind === 3 ? false : gzip.isDamaged, path);
    // Within the byte that is wrong Python's may lose what the bits before it stand for.
    if (kind !== 0) assertEquals(made.length, byPython.length, path);
  }
});

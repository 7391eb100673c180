/**
 * Takes the kernel out of a compressed image: qemu boots it as it is, and unpacking it in the emulator
 * takes ten seconds of every boot.
 *
 * @module
 */

/** Offsets in the setup header (Documentation/arch/x86/boot.rst). */
const SETUP_SECTS = 0x1f1;
const PAYLOAD_OFFSET = 0x248;
const PAYLOAD_LENGTH = 0x24c;
const SECTOR_BYTES = 512;
/** The kernel's build puts the length of what comes out behind the compressed data. */
const SIZE_BYTES = 4;

const DECOMPRESSORS = [
  { magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], command: ["xz", "--decompress", "--stdout"] },
  { magic: [0x28, 0xb5, 0x2f, 0xfd], command: ["zstd", "--decompress", "--stdout"] },
] as const;

/**
 * Extracts the kernel, an ELF file.
 *
 * @param path A bzImage, compressed with xz or zstd.
 * @throws {Error} When it is compressed in another way or damaged.
 */
export async function extractKernel(path: string): Promise<Uint8Array> {
  const bytes = await Deno.readFile(path);
  const view = new DataView(bytes.buffer);
  // The first sector is not counted among those of the setup code.
  const start = (bytes[SETUP_SECTS] + 1) * SECTOR_BYTES + view.getUint32(PAYLOAD_OFFSET, true);
  const length = view.getUint32(PAYLOAD_LENGTH, true);
  const payload = bytes.subarray(start, start + length - SIZE_BYTES);
  const found = DECOMPRESSORS.find(({ magic }) => magic.every((byte, at) => payload[at] === byte));
  if (found === undefined) throw new Error(`Cannot extract "${path}": no xz and no zstd in it`);
  const [program, ...args] = found.command;
  const child = new Deno.Command(program, { args, stdin: "piped", stdout: "piped" }).spawn();
  // Written and read at once: a pipe does not hold a kernel.
  const [{ success, stdout }] = await Promise.all([
    child.output(),
    new Blob([payload]).stream().pipeTo(child.stdin),
  ]);
  if (!success) throw new Error(`Cannot extract "${path}": ${program} failed`);
  return stdout;
}

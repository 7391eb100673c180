/**
 * Compiles bpf/handshake_filter.c with clang and writes bpf/handshake_filter.json, the form in which
 * src/linux/capture/handshake_filter.ts loads it, so that running synsnoop needs no compiler:
 *
 *     deno run -A bpf/build_filter.ts           # compile and write
 *     deno run -A bpf/build_filter.ts --check   # compile and compare; exit code 1 when they differ
 *
 * @module
 */
import type { CompiledFilter, MapDefinition } from "../src/linux/capture/handshake_filter.ts";

const SOURCE = new URL("./handshake_filter.c", import.meta.url);
const OUTPUT = new URL("./handshake_filter.json", import.meta.url);

// Elf64_Ehdr, Elf64_Shdr, Elf64_Sym and Elf64_Rel of elf.h: sizes, and offsets of the members read.
const EHDR_SHOFF = 40;
const EHDR_SHNUM = 60;
const EHDR_SHSTRNDX = 62;
const SHDR_SIZE = 64;
const SHDR_OFFSET = 24;
const SHDR_SIZE_MEMBER = 32;
const SYM_SIZE = 24;
const SYM_SHNDX = 6;
const SYM_VALUE = 8;
/** The section of a symbol that is defined elsewhere. */
const SHN_UNDEF = 0;
const REL_SIZE = 16;
const REL_SYMBOL = 12;
const INSTRUCTION_BYTES = 8;
/** `struct map_definition` of handshake_filter.c: four u32. */
const MAP_DEFINITION_BYTES = 16;

/**
 * Takes program, maps, constants and licence out of an object file of clang's BPF back end.
 *
 * @throws {Error} when a section is missing or a variable is used that is neither a map nor external.
 */
export function readObject(object: Uint8Array, compiler: string): CompiledFilter {
  const view = new DataView(object.buffer, object.byteOffset, object.byteLength);
  const text = (at: number) => new TextDecoder().decode(object.subarray(at, object.indexOf(0, at)));
  const headers = Number(view.getBigUint64(EHDR_SHOFF, true));
  const section = (index: number) => {
    const header = headers + index * SHDR_SIZE;
    const offset = Number(view.getBigUint64(header + SHDR_OFFSET, true));
    return {
      index,
      nameAt: view.getUint32(header, true),
      offset,
      end: offset + Number(view.getBigUint64(header + SHDR_SIZE_MEMBER, true)),
    };
  };
  const sections = Array.from(
    { length: view.getUint16(EHDR_SHNUM, true) },
    (_, index) => section(index),
  );
  const sectionNames = sections[view.getUint16(EHDR_SHSTRNDX, true)].offset;
  const named = (name: string) => {
    const found = sections.find(({ nameAt }) => text(sectionNames + nameAt) === name);
    if (found === undefined) throw new Error(`Cannot read object file: no section "${name}"`);
    return found;
  };
  const program = named("socket");
  const maps = named("maps");
  const symbols = named(".symtab");
  const symbolNames = named(".strtab").offset;

  const definitions: MapDefinition[] = [];
  for (let at = symbols.offset; at < symbols.end; at += SYM_SIZE) {
    const name = text(symbolNames + view.getUint32(at, true));
    if (view.getUint16(at + SYM_SHNDX, true) !== maps.index || name === "") continue;
    const definition = maps.offset + Number(view.getBigUint64(at + SYM_VALUE, true));
    if (definition + MAP_DEFINITION_BYTES > maps.end) {
      throw new Error(`Cannot read object file: map "${name}" is cut off`);
    }
    definitions.push({
      name,
      type: view.getUint32(definition, true),
      keySize: view.getUint32(definition + 4, true),
      valueSize: view.getUint32(definition + 8, true),
      maxEntries: view.getUint32(definition + 12, true),
    });
  }

  const relocated = named(".relsocket");
  const relocations: [number, string][] = [];
  const constants: [number, string][] = [];
  for (let at = relocated.offset; at < relocated.end; at += REL_SIZE) {
    const symbol = symbols.offset + view.getUint32(at + REL_SYMBOL, true) * SYM_SIZE;
    const name = text(symbolNames + view.getUint32(symbol, true));
    const instruction = Number(view.getBigUint64(at, true)) / INSTRUCTION_BYTES;
    if (definitions.some((definition) => definition.name === name)) {
      relocations.push([instruction, name]);
    } else if (view.getUint16(symbol + SYM_SHNDX, true) === SHN_UNDEF) {
      constants.push([instruction, name]);
    } else {
      throw new Error(`Cannot read object file: "${name}" is neither a map nor external`);
    }
  }
  return {
    compiler,
    license: text(named("license").offset),
    maps: definitions,
    relocations,
    constants,
    instructions: object.subarray(program.offset, program.end).toBase64(),
  };
}

/** The compiler as recorded, for example `clang 14.0.6`; `undefined` when clang is not installed. */
export async function installedCompiler(): Promise<string | undefined> {
  try {
    const { stdout } = await new Deno.Command("clang", { args: ["--version"] }).output();
    return new TextDecoder().decode(stdout).match(/clang version \d+[.\d]*/)?.[0]
      .replace(" version", "");
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/**
 * Compiles handshake_filter.c and returns the text of handshake_filter.json.
 *
 * @throws {Error} when clang is missing or rejects the source.
 */
export async function buildFilter(): Promise<string> {
  const compiler = await installedCompiler();
  if (compiler === undefined) {
    throw new Error(`Cannot compile "${SOURCE.pathname}": clang is not installed`);
  }
  const { success, stdout, stderr } = await new Deno.Command("clang", {
    args: [
      ...["-O2", "-target", "bpf", "-mcpu=v2", "-Wall", "-Wextra", "-Werror"],
      // Debian keeps <asm/types.h> apart from the other kernel headers.
      `-I/usr/include/${Deno.build.arch}-linux-gnu`,
      ...["-c", SOURCE.pathname, "-o", "-"],
    ],
  }).output();
  if (!success) {
    throw new Error(
      `Cannot compile "${SOURCE.pathname}": ${new TextDecoder().decode(stderr).trim()}`,
    );
  }
  return JSON.stringify(readObject(stdout, compiler), undefined, 1) + "\n";
}

if (import.meta.main) {
  const built = await buildFilter();
  if (!Deno.args.includes("--check")) {
    await Deno.writeTextFile(OUTPUT, built);
  } else if (built !== await Deno.readTextFile(OUTPUT)) {
    console.error(
      'Cannot accept "bpf/handshake_filter.json": it is not what "bpf/handshake_filter.c" ' +
        "compiles to; run `deno run -A bpf/build_filter.ts`",
    );
    Deno.exit(1);
  }
}

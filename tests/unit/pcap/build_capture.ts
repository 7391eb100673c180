/**
 * Builds capture files for tests, byte by byte after the formats' own documents and without anything of
 * the reader: each field free to be wrong.
 *
 * @module
 */
import { concat } from "../wire/build_frame.ts";

/** Writes integers in one byte order. */
export class Integers {
  /** @param littleEndian The byte order. */
  constructor(readonly littleEndian: boolean) {}

  /** 16 bits a value. */
  u16(...values: readonly number[]): Uint8Array {
    const bytes = new Uint8Array(values.length * 2);
    const view = new DataView(bytes.buffer);
    values.forEach((value, index) => view.setUint16(index * 2, value, this.littleEndian));
    return bytes;
  }

  /** 32 bits a value. */
  u32(...values: readonly number[]): Uint8Array {
    const bytes = new Uint8Array(values.length * 4);
    const view = new DataView(bytes.buffer);
    values.forEach((value, index) => view.setUint32(index * 4, value, this.littleEndian));
    return bytes;
  }

  /** 64 bits. */
  u64(value: bigint): Uint8Array {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, value, this.littleEndian);
    return bytes;
  }
}

/** A packet as {@linkcode buildPcap} writes it. */
export interface PcapRecord {
  seconds?: number;
  /** In the file's unit. */
  fraction?: number;
  data?: Uint8Array;
  capturedLength?: number;
  originalLength?: number;
  /** Only in the modified format. */
  interfaceIndex?: number;
}

/** Fields of {@linkcode buildPcap}. */
export interface PcapFields {
  magic?: number;
  littleEndian?: boolean;
  major?: number;
  minor?: number;
  snapLength?: number;
  linkType?: number;
  records?: readonly PcapRecord[];
}

/** The magic numbers of pcap. */
export const PcapMagic = {
  MICROSECONDS: 0xa1b2c3d4,
  NANOSECONDS: 0xa1b23c4d,
  MODIFIED: 0xa1b2cd34,
};

/** A classic pcap file. */
export function buildPcap(fields: PcapFields = {}): Uint8Array {
  const magic = fields.magic ?? PcapMagic.MICROSECONDS;
  const integers = new Integers(fields.littleEndian ?? true);
  return concat(
    integers.u32(magic),
    integers.u16(fields.major ?? 2, fields.minor ?? 4),
    integers.u32(0, 0, fields.snapLength ?? 262_144, fields.linkType ?? 1),
    ...(fields.records ?? []).map((record) => {
      const data = record.data ?? new Uint8Array([1, 2, 3]);
      return concat(
        integers.u32(
          record.seconds ?? 1_700_000_000,
          record.fraction ?? 0,
          record.capturedLength ?? data.length,
          record.originalLength ?? data.length,
        ),
        magic === PcapMagic.MODIFIED
          ? concat(
            integers.u32(record.interfaceIndex ?? 2),
            integers.u16(0x0800),
            new Uint8Array([4, 0]),
          )
          : new Uint8Array(0),
        data,
      );
    }),
  );
}

/** Blocks of a pcapng section, in one byte order. */
export class PcapngBuilder {
  readonly #integers: Integers;

  /** @param littleEndian The byte order. */
  constructor(littleEndian = true) {
    this.#integers = new Integers(littleEndian);
  }

  /** Any block; `length` lies about its size, `trailer` about that at its end. */
  block(type: number, body: Uint8Array, length?: number, trailer?: number): Uint8Array {
    const { u32 } = this.#bound();
    const padded = padded4(body);
    const total = length ?? padded.length + 12;
    return concat(u32(type, total), padded, u32(trailer ?? total));
  }

  /** A section header. */
  section(fields: { major?: number; byteOrder?: number; options?: Uint8Array } = {}): Uint8Array {
    const { u32, u16, u64 } = this.#bound();
    return this.block(
      0x0a0d0d0a,
      concat(
        u32(fields.byteOrder ?? 0x1a2b3c4d),
        u16(fields.major ?? 1, 0),
        u64(0xffff_ffff_ffff_ffffn),
        fields.options ?? new Uint8Array(0),
      ),
    );
  }

  /** An interface description. */
  interface(
    fields: {
      linkType?: number;
      snapLength?: number;
      name?: string;
      resolution?: number;
      /** With the code of its kind in front. */
      filter?: string;
      offsetSeconds?: bigint;
    } = {},
  ): Uint8Array {
    const { u16, u32, u64 } = this.#bound();
    const options: Uint8Array[] = [];
    if (fields.name !== undefined) {
      options.push(this.option(2, new TextEncoder().encode(fields.name)));
    }
    if (fields.resolution !== undefined) {
      options.push(this.option(9, new Uint8Array([fields.resolution])));
    }
    if (fields.filter !== undefined) {
      options.push(this.option(11, new TextEncoder().encode(fields.filter)));
    }
    if (fields.offsetSeconds !== undefined) {
      options.push(this.option(14, u64(BigInt.asUintN(64, fields.offsetSeconds))));
    }
    return this.block(
      1,
      concat(
        u16(fields.linkType ?? 1, 0),
        u32(fields.snapLength ?? 0),
        ...options,
        options.length > 0 ? u32(0) : new Uint8Array(0),
      ),
    );
  }

  /** An enhanced packet, or with `obsolete` a packet block. */
  packet(
    fields: {
      interfaceNumber?: number;
      ticks?: bigint;
      data?: Uint8Array;
      capturedLength?: number;
      originalLength?: number;
      options?: readonly Uint8Array[];
      obsolete?: boolean;
    } = {},
  ): Uint8Array {
    const { u16, u32 } = this.#bound();
    const data = fields.data ?? new Uint8Array([1, 2, 3]);
    const ticks = fields.ticks ?? 1_700_000_000_000_000n;
    const number = fields.interfaceNumber ?? 0;
    return this.block(
      fields.obsolete ? 2 : 6,
      concat(
        fields.obsolete ? u16(number, 0) : u32(number),
        u32(
          Number(ticks >> 32n),
          Number(ticks & 0xffffffffn),
          fields.capturedLength ?? data.length,
          fields.originalLength ?? data.length,
        ),
        padded4(data),
        ...(fields.options ?? []),
      ),
    );
  }

  /** A simple packet. */
  simplePacket(data: Uint8Array, originalLength = data.length): Uint8Array {
    return this.block(3, concat(this.#bound().u32(originalLength), data));
  }

  /** Interface statistics with packets dropped by the interface and by the system. */
  statistics(interfaceNumber: number, dropped: bigint, systemDropped?: bigint): Uint8Array {
    const { u32, u64 } = this.#bound();
    return this.block(
      5,
      concat(
        u32(interfaceNumber, 0, 0),
        this.option(5, u64(dropped)),
        systemDropped === undefined ? new Uint8Array(0) : this.option(7, u64(systemDropped)),
        u32(0),
      ),
    );
  }

  /** An option. */
  option(code: number, value: Uint8Array): Uint8Array {
    return concat(this.#bound().u16(code, value.length), padded4(value));
  }

  /** A comment, as an option. */
  comment(text: string): Uint8Array {
    return this.option(1, new TextEncoder().encode(text));
  }

  /** Flags of a packet, as an option. */
  flags(value: number): Uint8Array {
    return this.option(2, this.#bound().u32(value));
  }

  #bound() {
    const integers = this.#integers;
    return {
      u16: integers.u16.bind(integers),
      u32: integers.u32.bind(integers),
      u64: integers.u64.bind(integers),
    };
  }
}

function padded4(bytes: Uint8Array): Uint8Array {
  return concat(bytes, new Uint8Array((4 - bytes.length % 4) % 4));
}

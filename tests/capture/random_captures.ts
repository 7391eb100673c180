/**
 * Capture files with anything in them that their formats allow, put together at random.
 *
 * @module
 */
import type { Random } from "../random.ts";
import { buildPcap, Integers, PcapMagic, PcapngBuilder } from "../unit/pcap/build_capture.ts";
import { buildEthernet, buildIpv4, buildTcp, concat } from "../unit/wire/build_frame.ts";

/** Packets of a pcap file, blocks of a section of pcapng. */
const RECORDS = 40;
const BLOCKS = 40;
/** Whole seconds of Unix time, some of them beyond 31 and 32 bits. */
const SECONDS = [5, 1_700_000_000, 2 ** 31 - 1, 2 ** 31 + 5];
const FAR_SECONDS = 2 ** 32 + 7;
/**
 * Values of `if_tsresol`: powers of ten, then of two. None finer than 10^-10: there
 * tshark 4.0 reckons in 64 bits what does not fit them.
 */
const RESOLUTIONS = [0, 1, 3, 6, 7, 9, 10, ...[0, 1, 10, 16, 20, 30].map((n) => 0x80 | n)];
/** Snapshot lengths; 0 is none. */
const SNAP_LENGTHS = [0, 0, 40, 96, 262_144];

function frame(random: Random): Uint8Array {
  const segment = buildTcp({
    sourcePort: 1 + random.below(60_000),
    sequence: random.below(2 ** 31),
  });
  return buildEthernet({ payload: buildIpv4({ payload: segment }) });
}

/** A frame that a capture cut, or did not. */
function cutFrame(random: Random): { data: Uint8Array; originalLength: number } {
  const whole = frame(random);
  const data = random.percent(30) ? whole.subarray(0, random.below(whole.length)) : whole;
  return { data, originalLength: random.percent(5) ? random.below(200) : whole.length };
}

/** A pcap file of any variant, cut off or not. */
export function randomPcap(random: Random): Uint8Array {
  const magic = random.pick(Object.values(PcapMagic));
  const perSecond = magic === PcapMagic.NANOSECONDS ? 1e9 : 1e6;
  let seconds = random.pick(SECONDS);
  const records = Array.from({ length: RECORDS }, () => ({
    seconds: seconds += random.below(3),
    fraction: random.below(perSecond),
    ...cutFrame(random),
  }));
  const file = buildPcap({
    magic,
    littleEndian: random.percent(50),
    snapLength: random.pick([0, 64, 65_535, 262_144, 0x7fffffff]),
    // With the length of a frame check sequence above it.
    linkType: random.pick([1, 0x14000001, 0xf4000001]),
    records,
  });
  return cutOff(file, 24, random);
}

interface Described {
  ticksPerSecond: bigint;
  snapLength: number;
}

/** A section of pcapng in one byte order. */
class SectionMaker {
  readonly #random: Random;
  readonly #build: PcapngBuilder;
  readonly #integers: Integers;
  readonly #interfaces: Described[] = [];

  constructor(random: Random) {
    const littleEndian = random.percent(50);
    this.#random = random;
    this.#build = new PcapngBuilder(littleEndian);
    this.#integers = new Integers(littleEndian);
  }

  section(): Uint8Array {
    const random = this.#random;
    const parts = [
      this.#build.section(random.percent(50) ? { options: this.#build.comment("some") } : {}),
      this.#interface(),
    ];
    for (let count = 0; count < BLOCKS; count++) parts.push(this.#block());
    return concat(...parts);
  }

  #block(): Uint8Array {
    const random = this.#random;
    const build = this.#build;
    switch (random.below(12)) {
      case 0:
        return this.#interface();
      case 1: {
        const { snapLength } = this.#interfaces[0];
        const data = frame(random);
        return build.simplePacket(data.subarray(0, snapLength || data.length), data.length);
      }
      case 2:
        return build.statistics(random.below(this.#interfaces.length), BigInt(random.below(1_000)));
      case 3:
        // Custom blocks begin with the number of an enterprise.
        return build.block(
          random.pick([0xbad, 0x40000bad]),
          concat(this.#integers.u32(random.below(40_000)), random.bytes(random.below(30))),
        );
      case 4:
        return build.block(
          random.pick([7, 11, 0x201, 0x77777777, 0x80000001]),
          random.bytes(random.below(40)),
        );
      default:
        return this.#packet();
    }
  }

  #interface(): Uint8Array {
    const random = this.#random;
    const snapLength = random.pick(SNAP_LENGTHS);
    const resolution = random.percent(70) ? random.pick(RESOLUTIONS) : undefined;
    const base = (resolution ?? 6) < 0x80 ? 10n : 2n;
    this.#interfaces.push({
      ticksPerSecond: base ** BigInt((resolution ?? 6) & 0x7f),
      snapLength,
    });
    const offsetSeconds = random.percent(30) ? BigInt(random.pick([1, 3_600, -5, 1e9])) : undefined;
    return this.#build.interface({
      resolution,
      snapLength,
      offsetSeconds,
      name: random.percent(50) ? `eth${random.below(3)}` : undefined,
    });
  }

  #packet(): Uint8Array {
    const random = this.#random;
    const build = this.#build;
    const interfaceNumber = random.below(this.#interfaces.length);
    const { ticksPerSecond } = this.#interfaces[interfaceNumber];
    const seconds = random.percent(10) ? FAR_SECONDS : random.pick(SECONDS);
    const within = BigInt(random.below(2 ** 31)) * ticksPerSecond / BigInt(2 ** 31);
    const options = [
      build.comment("a packet"),
      build.flags(random.below(2 ** 31)),
      build.option(4, new Uint8Array(8)),
      build.option(77, random.bytes(random.below(12))),
      build.option(0, new Uint8Array(0)),
    ];
    return build.packet({
      interfaceNumber,
      ticks: BigInt(seconds) * ticksPerSecond + within,
      obsolete: random.percent(15),
      options: random.percent(50) ? options : [],
      ...cutFrame(random),
    });
  }
}

/** A pcapng file of up to three sections, cut off or not. */
export function randomPcapng(random: Random): Uint8Array {
  const sections = Array.from(
    { length: 1 + random.below(3) },
    () => new SectionMaker(random).section(),
  );
  return cutOff(concat(...sections), 60, random);
}

function cutOff(file: Uint8Array, least: number, random: Random): Uint8Array {
  return random.percent(30) ? file.subarray(0, least + random.below(file.length - least)) : file;
}

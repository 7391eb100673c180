import { interfaceIndex } from "./interfaces.ts";
import type { NetworkNamespace } from "./network_namespace.ts";
import { type FrameHandler, PacketRing, type PacketRingOptions } from "./packet_ring.ts";

const MIB = 1024 * 1024;

/** Sizes of rings in other namespaces than the own. */
interface RingSize {
  /** How many others are captured at most where a ring of this size is opened. */
  others: number;
  bytes: number;
  halfOpenEntries: number;
}

/**
 * The more there are the smaller, so that all together take 700 MB at most: rings of 8, 4 and 1 MiB
 * with tables of half-open flows of 4, 2 and 1 MiB. Under full load, 20,000 handshakes a second, they
 * may be left alone for 600, 300 and 80 ms, and for 10 seconds or more where little happens.
 */
const RING_SIZES: readonly RingSize[] = [
  { others: 8, bytes: 8 * MIB, halfOpenEntries: 32_768 },
  { others: 32, bytes: 4 * MIB, halfOpenEntries: 16_384 },
  { others: Infinity, bytes: MIB, halfOpenEntries: 8_192 },
];
/**
 * Their blocks are retired less often: from Linux 6.18 each time is an interrupt, and a hundred rings
 * at 10 ms took 10 % of a core.
 */
export const OTHER_RETIRE_TIMEOUT_MS = 40;

/** A ring and where it captures, as `FrameMerge` and `Places` want it. */
export class SiteRing {
  readonly site: CaptureSite;
  readonly ring: PacketRing;
  readonly #interfaceName: string | undefined;

  /** @param interfaceName The one interface it captures on, undefined for all. */
  constructor(site: CaptureSite, ring: PacketRing, interfaceName: string | undefined) {
    this.site = site;
    this.ring = ring;
    this.#interfaceName = interfaceName;
  }

  /** Whether a frame is waiting. */
  ready(): boolean {
    return this.ring.ready();
  }

  /** See {@link PacketRing.nextSeconds}. */
  get nextSeconds(): number {
    return this.ring.nextSeconds;
  }

  /** See {@link PacketRing.nextNanoseconds}. */
  get nextNanoseconds(): number {
    return this.ring.nextNanoseconds;
  }

  /** Takes the frame that is waiting. */
  take(onFrame: FrameHandler): void {
    this.ring.take(onFrame);
  }

  /** The name of an interface of the ring's namespace. */
  interfaceName(index: number): string | undefined {
    return this.ring.interfaceName(index);
  }

  /** What its interface reported since the last call, such as that it went down, as a sentence. */
  takeError(): string | undefined {
    // A ring on all interfaces is told of none.
    if (this.#interfaceName === undefined) return undefined;
    const error = this.ring.takeError();
    if (error === undefined) return undefined;
    const where = this.site.isOwn ? "" : ` in ${this.site.words}`;
    return `Cannot capture on "${this.#interfaceName}"${where} for now: ${error.errnoName}`;
  }
}

/** One network namespace that a trace captures in, and its rings. */
export class CaptureSite {
  readonly namespace: NetworkNamespace;
  /** What it is, for a sentence: untrusted text. */
  readonly words: string;
  /** One for each interface named, or one for all; none before {@link open} or without interface. */
  readonly rings: SiteRing[] = [];
  /** Whether it is the namespace that this process lives in. */
  readonly isOwn: boolean;

  /** Opens nothing yet. */
  constructor(namespace: NetworkNamespace, words: string, isOwn: boolean) {
    this.namespace = namespace;
    this.words = words;
    this.isOwn = isOwn;
  }

  /** The index of an interface here, undefined where there is none of that name. */
  indexOf(interfaceName: string): number | undefined {
    return this.namespace.run(() => interfaceIndex(interfaceName));
  }

  /**
   * Opens the rings, each in about 15 ms.
   *
   * @param interfaces Names of the interfaces; those that are not there are passed over. None: all.
   * @param others How many other namespaces are captured already: the more, the smaller the rings.
   * @throws {SystemCallError} see {@link PacketRing.open}; rings opened before that stay.
   */
  open(
    interfaces: readonly string[],
    filter: PacketRingOptions["filter"],
    others: number,
  ): void {
    // By another of its names, an interface would give each packet twice.
    const names = new Map<number, string | undefined>();
    if (interfaces.length === 0) names.set(0, undefined);
    for (const name of interfaces) {
      const index = this.indexOf(name);
      if (index !== undefined) names.set(index, name);
    }
    for (const [index, interfaceName] of names) {
      const options = { interfaceIndex: index, filter, ...(!this.isOwn && otherRing(others)) };
      const ring = this.namespace.run(() => PacketRing.open(options));
      this.rings.push(new SiteRing(this, ring, interfaceName));
    }
  }

  /**
   * Closes the rings and lets go of the namespace. What was counted can be read at once; the kernel's
   * part, which takes 25 ms or more, goes on beside this thread until it settles.
   */
  async close(): Promise<void> {
    this.namespace[Symbol.dispose]();
    await Promise.all(this.rings.map(({ ring }) => ring.closeAside()));
  }
}

function otherRing(others: number): PacketRingOptions {
  const size = RING_SIZES.find((each) => others < each.others)!;
  return {
    sizeBytes: size.bytes,
    halfOpenEntries: size.halfOpenEntries,
    retireTimeoutMs: OTHER_RETIRE_TIMEOUT_MS,
  };
}

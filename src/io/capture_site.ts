import { interfaceIndex } from "./interfaces.ts";
import { libc } from "./libc.ts";
import type { NetworkNamespace } from "./network_namespace.ts";
import { type FrameHandler, PacketRing, type PacketRingOptions } from "./packet_ring.ts";

/**
 * A ring in another namespace than the own is smaller, for there may be many: 1 MiB, and 1 MiB for
 * half-open flows. Like the large one it may be left alone for more than two seconds.
 */
const SMALL_BLOCK_BYTES = 16_384;
const SMALL_BLOCK_COUNT = 64;
const SMALL_HALF_OPEN_ENTRIES = 8_192;
/**
 * Blocks of it are retired less often: from Linux 6.18 each time is an interrupt, and a hundred rings
 * at 10 ms took 10 % of a core.
 */
export const SMALL_RETIRE_TIMEOUT_MS = 40;

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
   * @throws {SystemCallError} see {@link PacketRing.open}; rings opened before that stay.
   */
  open(interfaces: readonly string[], filter: PacketRingOptions["filter"]): void {
    // By another of its names, an interface would give each packet twice.
    const names = new Map<number, string | undefined>();
    if (interfaces.length === 0) names.set(0, undefined);
    for (const name of interfaces) {
      const index = this.indexOf(name);
      if (index !== undefined) names.set(index, name);
    }
    for (const [index, interfaceName] of names) {
      const options = { interfaceIndex: index, filter, ...(!this.isOwn && smallRing()) };
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

function smallRing(): PacketRingOptions {
  return {
    // A multiple of the page, which is larger on some machines.
    blockSizeBytes: Math.max(SMALL_BLOCK_BYTES, libc().getpagesize()),
    blockCount: SMALL_BLOCK_COUNT,
    halfOpenEntries: SMALL_HALF_OPEN_ENTRIES,
    retireTimeoutMs: SMALL_RETIRE_TIMEOUT_MS,
  };
}

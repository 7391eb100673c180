import { chooseInterfaces, NONE } from "./choose_interfaces.ts";
import { LinkNames } from "../netns/link_names.ts";
import { interfaceIndex } from "../netns/interfaces.ts";
import { SystemCallError } from "../libc.ts";
import { LinkWatch } from "../netns/link_watch.ts";
import type { NetworkNamespace } from "../netns/network_namespace.ts";
import type { Change } from "./pending_changes.ts";
import { PacketRing, type PacketRingOptions } from "./packet_ring.ts";
import type { FrameHandler } from "./ring_frame.ts";
import { TrackedInterface } from "./tracked_interface.ts";

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
 * with tables of half-open flows of 1.9, 0.9 and 0.5 MB. Under full load, 20,000 handshakes a second,
 * they may be left alone for 600, 300 and 80 ms, and for 10 seconds or more where little happens.
 */
const RING_SIZES: readonly RingSize[] = [
  { others: 8, bytes: 8 * MIB, halfOpenEntries: 65_536 },
  { others: 32, bytes: 4 * MIB, halfOpenEntries: 32_768 },
  { others: Infinity, bytes: MIB, halfOpenEntries: 16_384 },
];
/**
 * Their blocks are retired less often: from Linux 6.18 each time is an interrupt, and a hundred rings
 * at 10 ms took 10 % of a core.
 */
export const OTHER_RETIRE_TIMEOUT_MS = 40;

/** How soon the next ring is opened, which takes time, while interfaces come and go. */
const OPEN_EVERY_MS = 1_000;
/** A ring and where it captures, as `FrameMerge` and `Places` want it. */
export class SiteRing {
  readonly site: CaptureSite;
  readonly ring: PacketRing;

  /** One of a site's rings. */
  constructor(site: CaptureSite, ring: PacketRing) {
    this.site = site;
    this.ring = ring;
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
    return this.site.nameOf(index) ?? this.ring.interfaceName(index);
  }
}

/** That an interface is called otherwise than before. */
export interface NameChange extends Change {
  site: CaptureSite;
  index: number;
  name: string;
}

/** What a site tells while it follows its interfaces. */
export interface SiteEvents {
  /** An interface has another name; {@link CaptureSite.nameOf} tells it when the caller says so. */
  onName(change: NameChange): void;
  /** A ring is closed when this returns; what it holds can be taken until then. */
  onRetire(ring: SiteRing): void;
}

/** One network namespace that a trace captures in, and its rings. */
export class CaptureSite {
  readonly namespace: NetworkNamespace;
  /** What it is, for a sentence: untrusted text. */
  readonly words: string;
  /** Whether it is the namespace that this process lives in. */
  readonly isOwn: boolean;
  /** One for each interface named that is or was there, or one for all; none before {@link open}. */
  rings: readonly SiteRing[] = [];
  /** The interfaces named, in their order; none: all. */
  interfaces: readonly TrackedInterface[] = [];
  #requested: readonly string[] = [];
  #ringOptions: PacketRingOptions = {};
  #watch: LinkWatch | undefined;
  readonly #names = new LinkNames();
  #lookedNs = -Infinity;
  #openedMs = -Infinity;
  #isWaiting = false;

  /** Opens nothing yet. */
  constructor(namespace: NetworkNamespace, words: string, isOwn: boolean) {
    this.namespace = namespace;
    this.words = words;
    this.isOwn = isOwn;
  }

  /** Whether an interface that is there waits for its ring. */
  get isWaiting(): boolean {
    return this.#isWaiting;
  }

  /** The index of an interface here, undefined where there is none of that name. */
  indexOf(interfaceName: string): number | undefined {
    return this.namespace.run(() => interfaceIndex(interfaceName));
  }

  /** The name that an interface has here, or had last; untrusted text. */
  nameOf(index: number): string | undefined {
    return this.#names.of(index);
  }

  /** Makes {@link nameOf} tell a new name. */
  rename({ index, name }: NameChange): void {
    this.#names.set(index, name);
  }

  /**
   * Opens the rings, each in about 20 ms, and begins to follow the interfaces.
   *
   * @param interfaces Names of the interfaces; one that is not there is captured on when it comes.
   *   None: all.
   * @param others How many other namespaces are captured already: the more, the smaller the rings.
   * @throws {SystemCallError} see {@link PacketRing.open}; what was opened before that stays.
   */
  open(
    interfaces: readonly string[],
    filter: PacketRingOptions["filter"],
    others: number,
  ): void {
    this.#ringOptions = { filter, ...(!this.isOwn && otherRing(others)) };
    this.#requested = interfaces;
    this.#watch = new LinkWatch((operation) => this.namespace.run(operation));
    const { links } = this.#watch;
    for (const { index, name } of links.values()) this.#names.set(index, name);
    const where = this.isOwn ? "" : this.words;
    const nowMs = performance.now();
    this.interfaces = chooseInterfaces(interfaces, links, []).map((index, at) =>
      new TrackedInterface(interfaces[at], where, links.get(index), nowMs)
    );
    if (interfaces.length === 0) this.#openRing(0, nowMs);
    else this.#arrangeRings(nowMs, 0);
  }

  /** Opens a ring that waits for an interface: what cannot be opened is known now. */
  openIdle(): void {
    this.#openRing(NONE, performance.now());
  }

  /**
   * Follows what the kernel told of the interfaces since the last time.
   *
   * @param nowNs Now on the axis.
   * @throws {SystemCallError} see {@link PacketRing.open}.
   */
  follow(nowNs: number, { onName, onRetire }: SiteEvents): void {
    // At some moment between the last look and this one.
    const fromNs = this.#lookedNs === -Infinity ? nowNs : (this.#lookedNs + nowNs) / 2;
    this.#lookedNs = nowNs;
    const away = new Set<number>();
    const isNew = this.#watch!.look(({ link: { index, name, isUp }, isGone }, before) => {
      if (isGone || !isUp) away.add(index);
      if (!isGone && name !== before?.name) onName({ site: this, index, name, fromNs });
    });
    if (this.#requested.length === 0 || !isNew && !this.#isWaiting) return;
    const nowMs = performance.now();
    const { links } = this.#watch!;
    const before = this.interfaces.map(({ index }) => index);
    const now = chooseInterfaces(this.#requested, links, before);
    this.interfaces.forEach((each, at) => each.take(links.get(now[at]), away.has(now[at]), nowMs));
    this.#arrangeRings(nowMs, OPEN_EVERY_MS, onRetire);
  }

  /** Indices of the interfaces that are to be captured on, each once: by two names it is one. */
  #wanted(): Set<number> {
    return new Set(this.interfaces.map(({ index }) => index).filter((index) => index !== NONE));
  }

  /** Gives each interface a ring: the one that it has, one that has lost its own, or a new one. */
  #arrangeRings(nowMs: number, openEveryMs: number, onRetire?: SiteEvents["onRetire"]): void {
    const missing = this.#wanted();
    const free: SiteRing[] = [];
    for (const ring of this.rings) if (!missing.delete(ring.ring.boundIndex)) free.push(ring);
    this.#isWaiting = false;
    for (const index of missing) {
      const ring = free.pop();
      try {
        if (ring !== undefined) ring.ring.bindTo(index);
        else if (nowMs - this.#openedMs >= openEveryMs) this.#openRing(index, nowMs);
        else this.#isWaiting = true;
      } catch (error) {
        if (!(error instanceof SystemCallError)) throw error;
        // Gone again, which is told next.
        if (error.errnoName !== "ENODEV") {
          this.#isWaiting = true;
          throw error;
        }
        if (ring !== undefined) free.push(ring);
      }
    }
    // One that was bound to an interface which is gone is kept for the next.
    for (const ring of free) if (ring.ring.boundIndex !== NONE) this.#retire(ring, onRetire);
  }

  #openRing(interfaceIndex: number, nowMs: number): void {
    this.#openedMs = nowMs;
    const options = { ...this.#ringOptions, interfaceIndex };
    const ring = this.namespace.run(() => PacketRing.open(options));
    this.rings = [...this.rings, new SiteRing(this, ring)];
  }

  #retire(retired: SiteRing, onRetire?: SiteEvents["onRetire"]): void {
    onRetire?.(retired);
    this.rings = this.rings.filter((each) => each !== retired);
    // Nobody waits for that; it cannot fail.
    retired.ring.closeAside();
  }

  /**
   * Closes the rings and lets go of the namespace. What was counted can be read at once; the kernel's
   * part, which takes 25 ms or more, goes on beside this thread until it settles.
   */
  async close(): Promise<void> {
    this.#watch?.[Symbol.dispose]();
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

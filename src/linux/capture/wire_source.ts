/**
 * The wire's side of a trace: capture rings in every network namespace of the scope, one for each
 * interface named or one for all, and the decoder behind them.
 *
 * @module
 */
import { countOf } from "../../text/count.ts";
import { KEPT_LENGTH_MAX, type KeptPacket } from "../../pcap/kept_packets.ts";
import { Direction } from "../../pcap/pcapng_option.ts";
import { TAGGED_SLL_LENGTH, writeTaggedSll } from "../../wire/cooked.ts";
import { Checksum, ipChecksum, tcpChecksum } from "../../wire/checksum.ts";
import { type AssembledPacket, FragmentAssembler } from "../../wire/fragment_assembler.ts";
import { decodePacket, FrameVerdict, LinkType } from "../../wire/frame.ts";
import { IcmpError } from "../../wire/icmp.ts";
import { readIcmpError } from "../../wire/icmp_message.ts";
import { PacketType, passageOf } from "../../wire/passage.ts";
import { Segment } from "../../wire/segment.ts";
import { VerdictCounts } from "../../wire/unread.ts";
import type { ClockAxis } from "../../match/clock.ts";
import type { CaptureScope } from "./capture_scope.ts";
import {
  type CaptureSite,
  type NameChange,
  OTHER_RETIRE_TIMEOUT_MS,
  type SiteEvents,
  type SiteRing,
} from "./capture_site.ts";
import { FrameMerge } from "./frame_merge.ts";
import { SystemCallError } from "../libc.ts";
import type { LocalAddresses } from "../netns/local_addresses.ts";
import { NoteBudget } from "./note_budget.ts";
import type { PacketRingOptions, RingFilter } from "./packet_ring.ts";
import { PendingChanges } from "./pending_changes.ts";
import type { Places } from "./places.ts";
import { type RingCounts, RingTotals } from "./ring_counts.ts";
import type { RingFrame } from "./ring_frame.ts";
import { SourceRouteSettings } from "../netns/source_route_settings.ts";

/** Where to capture and whom to hand the segments. */
export interface WireSourceOptions {
  scope: CaptureScope;
  filter: NonNullable<PacketRingOptions["filter"]>;
  axis: ClockAxis;
  /** Numbers the places, see {@link onSegment}. */
  places: Places;
  /** Learns the namespaces that are captured. */
  addresses: LocalAddresses;
  /** Whether `onSegment` may keep packets: then a VLAN tag that the kernel took off is put back. */
  keepsPackets: boolean;
  /**
   * Called for each TCP segment that the filter passed, with the packet that it is in. Both objects
   * are reused for the next; the packet's bytes are valid during the call.
   */
  onSegment(segment: Segment, packet: Readonly<KeptPacket>): void;
  /** The same for each ICMP error that quotes a TCP segment. */
  onIcmpError(error: IcmpError, packet: Readonly<KeptPacket>): void;
  /** Says in one sentence what changed, for a person. Untrusted text. */
  onNote(sentence: string): void;
}

/** Packets captured and what became of them. */
export interface WireStatistics extends RingCounts {
  /** Not decoded, by reason. */
  undecoded: Record<string, number>;
  /** How often an interface that was named was down, gone or another; undefined where none was named. */
  interfaceGaps: number | undefined;
}

/** Beyond a ring's own delay: softirqs and the timer that retires its blocks are late under load. */
const MARGIN_MS = 20;
/** Namespaces whose interfaces are looked after at once, in some microseconds each. */
const SITES_AT_ONCE = 16;
/** Changes of interfaces and namespaces that are told in a minute: who flaps would fill the screen. */
const NOTES_PER_MINUTE = 30;
/** How long packets that carry an interface's old name may come after it has another. */
const NAME_PENDING_NS = 1e9;

/** The rings of one trace. */
export class WireSource {
  readonly #options: WireSourceOptions;
  #rings: readonly SiteRing[] = [];
  readonly #merge: FrameMerge<SiteRing>;
  readonly #segment = new Segment();
  readonly #icmpError = new IcmpError();
  readonly #fragments = new FragmentAssembler();
  readonly #sourceRoutes = new SourceRouteSettings();
  readonly #packet: KeptPacket = {
    view: new DataView(new ArrayBuffer(0)),
    start: 0,
    end: 0,
    originalLength: 0,
    linkType: LinkType.RAW,
    timeNs: 0,
    place: 0,
    direction: Direction.UNKNOWN,
  };
  /** A packet with its VLAN tag. */
  readonly #tagged = new DataView(new ArrayBuffer(KEPT_LENGTH_MAX));
  readonly #verdicts = new VerdictCounts();
  /** Which filter is in place: the worse one, where there are both. */
  readonly filter: RingFilter;
  /** How long a packet may stay in a ring before it can be drained. */
  readonly retireTimeoutMs: number;
  readonly #notes = new NoteBudget(NOTES_PER_MINUTE);
  readonly #siteEvents: SiteEvents;
  /** Names that packets from some time on carry. */
  readonly #names = new PendingChanges<NameChange>();
  /** The site whose interfaces are looked after next. */
  #nextSite = 0;
  /** Gaps of interfaces in namespaces that are gone, and which of those named were there. */
  #closedGaps = 0;
  readonly #closedNames = new Set<number>();
  /** Why the own namespace's interfaces cannot be followed, as it was told. */
  #ownError: string | undefined;
  readonly #totals = new RingTotals();
  /** Frames taken out of the rings so far. */
  taken = 0;
  /** Whose frame is handed over. */
  #current: SiteRing | undefined;
  // The place of the last frame.
  #lastRing: SiteRing | undefined;
  #lastIndex = 0;
  #lastPlace = 0;

  /**
   * Opens the rings, each in about 15 ms.
   *
   * @throws {SystemCallError} EPERM without CAP_NET_RAW.
   */
  constructor(options: WireSourceOptions) {
    this.#options = options;
    this.#merge = new FrameMerge(
      (seconds, nanoseconds) => options.axis.fromRealtime(seconds, nanoseconds),
      (ring) => this.#take(ring),
    );
    this.#siteEvents = {
      onName: (change) => this.#names.add(change),
      onRetire: (ring) => {
        this.#takeAll(ring);
        this.#totals.close(ring);
      },
    };
    try {
      const [own, ...others] = options.scope.sites;
      this.#open(own);
      for (const site of others) this.#tryToOpen(site);
      for (const name of options.scope.awaited) {
        own.openIdle();
        options.onNote(`waiting for the interface "${name}"`);
      }
      this.#listRings();
      // Each may have gone a moment ago.
      if (this.#rings.length === 0) own.openIdle();
      this.#listRings();
    } catch (error) {
      this.close();
      throw error;
    }
    const rings = this.#rings.map(({ ring }) => ring);
    this.filter = (rings.find(({ filter }) => filter.kind === "classic") ?? rings[0]).filter;
    this.retireTimeoutMs = Math.max(
      ...rings.map((ring) => ring.retireTimeoutMs),
      options.scope.hasOthers ? OTHER_RETIRE_TIMEOUT_MS : 0,
    );
  }

  #open(site: CaptureSite): void {
    const { scope, filter } = this.#options;
    const others = scope.sites.filter(({ isOwn, rings }) => !isOwn && rings.length > 0).length;
    site.open(scope.interfaces, filter, others);
    if (site.rings.length > 0 || site.isOwn) this.#options.addresses.add(site.namespace);
  }

  /** @returns Whether it could; the scope tells where not. */
  #tryToOpen(site: CaptureSite): boolean {
    try {
      this.#open(site);
      return true;
    } catch (error) {
      if (!(error instanceof SystemCallError)) throw error;
      this.#options.scope.refuse(site, error.message);
      this.#close(site);
      return false;
    }
  }

  #close(site: CaptureSite): void {
    const { addresses, places } = this.#options;
    site.close();
    for (const ring of site.rings) this.#totals.close(ring);
    site.interfaces.forEach(({ gapsBeforeEnd, wasThere }, at) => {
      this.#closedGaps += gapsBeforeEnd;
      if (wasThere) this.#closedNames.add(at);
    });
    places.forget(site.namespace.inode);
    addresses.remove(site.namespace);
  }

  #listRings(): void {
    this.#rings = this.#options.scope.sites.flatMap(({ rings }) => rings);
  }

  /**
   * Follows the namespaces of the scope, and the interfaces in them, as they come and go. Looks for
   * namespaces about once a second, and opens the rings of at most one and closes those of one.
   *
   * @param nowNs Now on the axis.
   */
  follow(nowNs: number): void {
    this.#followNamespaces();
    this.#followInterfaces(nowNs);
    this.#listRings();
    const nowMs = performance.now();
    this.#totals.sample(this.#rings, nowMs);
    this.#noteUntold(nowMs);
  }

  #followNamespaces(): void {
    const changes = this.#options.scope.look();
    if (changes === undefined) return;
    const { came, gone, refused } = changes;
    if (gone !== undefined) {
      // What it still holds comes out of order; nothing is lost.
      for (const ring of gone.rings) this.#takeAll(ring);
      this.#close(gone);
      this.#note(`${gone.words} is gone: no longer capturing there`);
    }
    if (came !== undefined && this.#tryToOpen(came) && came.rings.length > 0) {
      this.#note(`capturing in ${came.words} too`);
    }
    for (const sentence of refused) this.#note(sentence);
  }

  #followInterfaces(nowNs: number): void {
    const { sites } = this.#options.scope;
    // Packets of before have come by now.
    this.#applyNames(nowNs - NAME_PENDING_NS);
    for (let count = Math.min(SITES_AT_ONCE, sites.length); count > 0; count--) {
      const site = sites[this.#nextSite++ % sites.length];
      const { length } = site.rings;
      if (this.#tryToFollow(site, nowNs)) this.#tellChanges(site);
      // To open one takes 20 ms: the others wait for the next time.
      if (site.rings.length > length) break;
    }
  }

  #tellChanges({ interfaces }: CaptureSite): void {
    const nowMs = performance.now();
    for (const each of interfaces) {
      const sentence = each.tell(nowMs);
      if (sentence !== undefined) this.#note(sentence);
    }
  }

  /** @returns Whether it could, wholly; the scope tells of other namespaces where not. */
  #tryToFollow(site: CaptureSite, nowNs: number): boolean {
    const { scope, addresses } = this.#options;
    const hadNone = site.rings.length === 0;
    try {
      site.follow(nowNs, this.#siteEvents);
    } catch (error) {
      if (!(error instanceof SystemCallError)) throw error;
      if (!site.isOwn) {
        scope.refuse(site, error.message);
        this.#close(site);
      } else if (this.#ownError !== error.message) this.#note(this.#ownError = error.message);
      return false;
    }
    if (hadNone && site.rings.length > 0) addresses.add(site.namespace);
    return !site.isWaiting;
  }

  #takeAll(ring: SiteRing): void {
    while (ring.ready()) this.#take(ring);
  }

  /** Says a change, unless there were too many. */
  #note(sentence: string): void {
    if (this.#notes.take(performance.now())) this.#options.onNote(sentence);
  }

  #noteUntold(nowMs: number): void {
    const count = this.#notes.takeUntold(nowMs);
    if (count > 0) {
      this.#options.onNote(
        countOf(
          count,
          "more change of interfaces and network namespaces was not told",
          "more changes of interfaces and network namespaces were not told",
        ),
      );
    }
  }

  /** Applies the changes of names up to a time on the axis. */
  #applyNames(untilNs: number): void {
    this.#names.takeUntil(untilNs, (change) => {
      const { site, index, name } = change;
      if (site.nameOf(index) === name) return;
      site.rename(change);
      this.#options.places.renamed(site.namespace.inode, index);
      this.#lastRing = undefined;
    });
  }

  /** How long after its capture a packet has been handed on, unless the machine is stuck. */
  get delayMs(): number {
    return this.retireTimeoutMs + MARGIN_MS;
  }

  /**
   * Decodes and hands on the packets that are ready, in the order of their times. So of several rings
   * those of the last {@link delayMs} stay for the next time.
   *
   * @param nowNs Now on the axis; Infinity for the last time, when nothing stays.
   */
  drain(nowNs: number): void {
    const deliveredNs = this.#rings.length > 1 ? nowNs - this.delayMs * 1e6 : Infinity;
    this.#merge.drain(this.#rings, deliveredNs, nowNs);
  }

  #take(ring: SiteRing): void {
    this.taken++;
    this.#current = ring;
    ring.take(this.#onFrame);
  }

  readonly #onFrame = (frame: RingFrame): void => {
    const { view, networkOffset, capturedEnd, originalLength, vlanId } = frame;
    const segment = this.#segment;
    let verdict = decodePacket(
      view,
      networkOffset,
      capturedEnd,
      originalLength,
      segment,
      frame.protocol,
    );
    const timeNs = this.#options.axis.fromRealtime(frame.seconds, frame.nanoseconds);
    if (timeNs >= this.#names.nextNs) this.#applyNames(timeNs);
    const place = this.#placeOf(frame.interfaceIndex);
    let whole: AssembledPacket | undefined;
    switch (verdict) {
      case FrameVerdict.FirstFragment:
      case FrameVerdict.LaterFragment:
        segment.vlan = vlanId;
        whole = this.#fragments.take(view, segment, place, timeNs);
        if (whole === undefined) return;
        verdict = decodePacket(whole.view, 0, whole.capturedLength, whole.originalLength, segment);
        break;
      case FrameVerdict.IcmpError:
        if (!readIcmpError(view, segment, this.#icmpError)) verdict = FrameVerdict.NotTcp;
    }
    if (verdict === FrameVerdict.Tcp) verdict = this.#judge(whole?.view ?? view, frame);
    if (verdict !== FrameVerdict.Tcp && verdict !== FrameVerdict.IcmpError) {
      this.#verdicts.add(verdict, segment);
      return;
    }
    const packet = this.#packet;
    packet.view = whole?.view ?? view;
    packet.start = whole === undefined ? networkOffset : 0;
    packet.end = whole?.capturedLength ?? capturedEnd;
    packet.originalLength = whole?.originalLength ?? originalLength;
    // Both filters pass nothing but IP, which AF_PACKET delivers from its header on.
    packet.linkType = LinkType.RAW;
    packet.timeNs = timeNs;
    packet.place = place;
    packet.direction = directionOf(frame.packetType);
    segment.passage = passageOf(frame.packetType);
    if (vlanId >= 0) {
      segment.vlan = vlanId;
      if (this.#options.keepsPackets) this.#putTagBack(frame);
    }
    if (verdict === FrameVerdict.IcmpError) {
      this.#options.onIcmpError(this.#icmpError, packet);
    } else {
      this.#options.onSegment(segment, packet);
    }
  };

  /**
   * Whether the host that receives a packet takes it: `Tcp`, or the reason why not.
   *
   * @param view The bytes that were decoded: the frame's, or those of fragments put together.
   */
  #judge(view: DataView, frame: RingFrame): FrameVerdict {
    const { interfaceIndex, packetType } = frame;
    const segment = this.#segment;
    const { site, ring } = this.#current!;
    const { scope, addresses } = this.#options;
    // What comes in through a port of a bridge comes once more at the bridge, where it counts.
    if (
      packetType === PacketType.OTHER_HOST && scope.interfaces.length === 0 &&
      addresses.hasIn(site.namespace, segment.destination)
    ) return FrameVerdict.OtherHost;
    if (segment.sourceRoute && packetType === PacketType.HOST) {
      const name = ring.interfaceName(interfaceIndex);
      if (!this.#sourceRoutes.accepts(site.namespace, name)) return FrameVerdict.SourceRoute;
    }
    if (!frame.mayJudgeChecksums) return FrameVerdict.Tcp;
    if (ipChecksum(view, segment) !== Checksum.RIGHT) return FrameVerdict.BadIpChecksum;
    const ofTcp = tcpChecksum(view, segment);
    return ofTcp === Checksum.RIGHT || ofTcp === Checksum.UNKNOWN
      ? FrameVerdict.Tcp
      : FrameVerdict.BadTcpChecksum;
  }

  /** Makes a copy of the packet that has its frame's tag. */
  #putTagBack({ packetType, vlanId, protocol }: RingFrame): void {
    const packet = this.#packet;
    const tagged = this.#tagged;
    const { buffer, byteOffset } = packet.view;
    const length = Math.min(packet.end - packet.start, KEPT_LENGTH_MAX - TAGGED_SLL_LENGTH);
    writeTaggedSll(tagged, packetType, vlanId, protocol);
    new Uint8Array(tagged.buffer, TAGGED_SLL_LENGTH)
      .set(new Uint8Array(buffer, byteOffset + packet.start, length));
    packet.view = tagged;
    packet.start = 0;
    packet.end = TAGGED_SLL_LENGTH + length;
    packet.originalLength += TAGGED_SLL_LENGTH;
    packet.linkType = LinkType.LINUX_SLL;
  }

  #placeOf(interfaceIndex: number): number {
    const ring = this.#current!;
    if (interfaceIndex !== this.#lastIndex || ring !== this.#lastRing) {
      const { inode } = ring.site.namespace;
      this.#lastPlace = this.#options.places.of(inode, interfaceIndex, ring);
      this.#lastIndex = interfaceIndex;
      this.#lastRing = ring;
    }
    return this.#lastPlace;
  }

  /**
   * Counts since the start, those of rings included that were closed.
   *
   * @param fresh Whether each ring is read anew, which takes milliseconds; else those of each are old
   *   by a tenth of a second for each ring.
   */
  statistics(fresh: boolean): WireStatistics {
    return {
      ...fresh ? this.#totals.read(this.#rings) : this.#totals.sampled,
      undecoded: this.#verdicts.byReason(this.#fragments.alone),
      interfaceGaps: this.#interfaceGaps(),
    };
  }

  #interfaceGaps(): number | undefined {
    const { interfaces: names, sites } = this.#options.scope;
    if (names.length === 0) return undefined;
    const never = names.filter((_, at) =>
      !this.#closedNames.has(at) && !sites.some(({ interfaces }) => interfaces[at]?.wasThere)
    );
    return sites.flatMap(({ interfaces }) => interfaces)
      .reduce((sum, { gaps }) => sum + gaps, this.#closedGaps + never.length);
  }

  /** Closes the rings; settles when that is done. */
  async close(): Promise<void> {
    this.#noteUntold(Infinity);
    await Promise.all(this.#options.scope.sites.map((site) => site.close()));
  }
}

/** What a file says of how a packet passed its interface. */
function directionOf(packetType: number): number {
  if (packetType === PacketType.OUTGOING) return Direction.OUTBOUND;
  return packetType === PacketType.OTHER_HOST ? Direction.OVERHEARD : Direction.INBOUND;
}

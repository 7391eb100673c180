/**
 * Traffic for the matcher's tests: packets, kernel records and the passing of time as plain events,
 * and a runner that feeds them to a matcher and keeps what it hands out.
 *
 * @module
 */

import type {
  KernelAccept,
  KernelDrop,
  KernelEnd,
  KernelListener,
  KernelRecord,
  KernelReset,
  NegotiatedOptions,
} from "../../../src/kernel/kernel_record.ts";
import type { MatcherCounters, MatcherOptions } from "../../../src/match/options.ts";
import type { Endpoint, Handshake } from "../../../src/match/handshake.ts";
import { Matcher } from "../../../src/match/matcher.ts";
import { formatAddress, parseAddress } from "../../../src/wire/address.ts";
import { IcmpError } from "../../../src/wire/icmp.ts";
import { Passage } from "../../../src/wire/passage.ts";
import { Segment, TcpFlag } from "../../../src/wire/segment.ts";
import { NO_OPTIONS } from "../kernel/build_record.ts";

/** One end of a flow. */
export interface End {
  readonly address: Uint32Array;
  readonly port: number;
}

/** An end by its address as text. */
export function end(address: string, port: number): End {
  const words = parseAddress(address);
  if (words === undefined) {
    throw new TypeError(`Cannot make an end of "${address}": not an address`);
  }
  return { address: words, port };
}

/** A TCP packet: what a test does not name is that of a packet without options and data. */
export interface Packet {
  from: End;
  to: End;
  flags: number;
  sequence: number;
  acknowledgment?: number;
  payloadLength?: number;
  window?: number;
  mss?: number;
  windowScale?: number;
  sackPermitted?: boolean;
  /** Timestamps option: value and echo. */
  timestamps?: readonly [value: number, echo: number];
  fastOpenCookieLength?: number;
  mptcpSubtype?: number;
  /** As `Segment` has them. Unless both are named no two packets have the same. */
  identification?: number;
  checksum?: number;
  /** See `Passage`. */
  passage?: number;
  vlan?: number;
  tunnels?: number;
  /** Whether the capture holds only some of its options: those that are named. */
  optionsCut?: boolean;
}

/** An ICMP error: of IPv4 unless it says otherwise. */
export interface Icmp {
  isIpv6?: boolean;
  type: number;
  code: number;
  reporter: Uint32Array;
  quoted: Packet;
}

/** What happens to a matcher. */
export type Event =
  | { packet: Packet; timeNs: number; place: number }
  | { icmp: Icmp; timeNs: number }
  | { record: Exclude<KernelRecord, KernelListener> }
  | { completeNs: number }
  | { fellSilentNs: number }
  | { jumpNs: number; nowNs: number };

let packets = 0;

/** Fills a segment with a packet, every field. */
export function fillSegment(packet: Packet, segment: Segment): Segment {
  const { from, to } = packet;
  const { options } = segment;
  segment.source.set(from.address);
  segment.destination.set(to.address);
  segment.sourcePort = from.port;
  segment.destinationPort = to.port;
  segment.flags = packet.flags;
  segment.sequence = packet.sequence;
  segment.acknowledgment = packet.acknowledgment ?? 0;
  segment.payloadLength = packet.payloadLength ?? 0;
  segment.window = packet.window ?? 0;
  segment.identification = packet.identification ?? 0;
  // Tests that name checksums take those of one octet.
  segment.checksum = packet.checksum ?? 0x100 + packets++ % 0xff00;
  segment.passage = packet.passage ?? Passage.UNKNOWN;
  segment.vlan = packet.vlan ?? -1;
  segment.tunnels = packet.tunnels ?? 0;
  options.reset();
  options.mss = packet.mss ?? -1;
  options.windowScale = packet.windowScale ?? -1;
  options.sackPermitted = packet.sackPermitted ?? false;
  options.timestamps = packet.timestamps !== undefined;
  options.timestampValue = packet.timestamps?.[0] ?? 0;
  options.timestampEcho = packet.timestamps?.[1] ?? 0;
  options.fastOpenCookieLength = packet.fastOpenCookieLength ?? -1;
  options.mptcpSubtype = packet.mptcpSubtype ?? -1;
  options.truncated = packet.optionsCut ?? false;
  return segment;
}

/** Fills an ICMP error, every field. */
export function fillIcmpError(icmp: Icmp, error: IcmpError): IcmpError {
  error.isIpv6 = icmp.isIpv6 ?? false;
  error.type = icmp.type;
  error.code = icmp.code;
  error.reporter.set(icmp.reporter);
  fillSegment(icmp.quoted, error.quoted);
  return error;
}

/** One end as a handshake told it, with the address as text. */
export interface EndpointSnapshot extends Omit<Endpoint, "address"> {
  address: string;
}

/** A handshake as it was when it was handed out: no part of it is shared. */
export interface Snapshot extends Omit<Handshake, "client" | "server" | "flags" | "translated"> {
  /** Both ends of the other tuple, as text. */
  translated: string | undefined;
  client: EndpointSnapshot;
  server: EndpointSnapshot;
  flags: readonly string[];
}

/** Copies a handshake. */
export function snapshot(handshake: Handshake): Snapshot {
  const { translated } = handshake;
  return {
    ...handshake,
    interfaces: [...handshake.interfaces],
    translated: translated && `${formatEnd(translated.client)} > ${formatEnd(translated.server)}`,
    client: copyEndpoint(handshake.client),
    server: copyEndpoint(handshake.server),
    flags: [...handshake.flags],
  };
}

/** Address and port as text. */
export function formatEnd({ address, port }: End): string {
  return `${formatAddress(address)} ${port}`;
}

function copyEndpoint(endpoint: Endpoint): EndpointSnapshot {
  const { process } = endpoint;
  return {
    ...endpoint,
    address: formatAddress(endpoint.address),
    process: process && { ...process },
  };
}

/** What came of a run. */
export interface Outcome {
  /** What was handed out before the flush and in all. */
  beforeFlush: number;
  records: Snapshot[];
  counters: MatcherCounters;
  pendingBeforeFlush: number;
  pending: number;
}

/** Whole seconds of Unix time at which the axis of {@linkcode run} begins. */
export const EPOCH_SECONDS = 1_795_395_783;

/** Feeds events to a new matcher, then flushes it. */
export function run(events: Iterable<Event>, options: MatcherOptions = {}): Outcome {
  const records: Snapshot[] = [];
  const matcher = new Matcher(EPOCH_SECONDS, (handshake) => {
    records.push(snapshot(handshake));
  }, options);
  const segment = new Segment();
  const error = new IcmpError();
  for (const event of events) {
    if ("packet" in event) {
      matcher.packet(fillSegment(event.packet, segment), event.timeNs, event.place);
    } else if ("icmp" in event) {
      matcher.icmpError(fillIcmpError(event.icmp, error), event.timeNs);
    } else if ("record" in event) {
      matcher.kernelRecord(event.record);
    } else if ("jumpNs" in event) {
      matcher.clockSet(event.jumpNs, event.nowNs);
    } else if ("fellSilentNs" in event) {
      matcher.kernelFellSilent(event.fellSilentNs);
    } else {
      matcher.advance(event.completeNs);
    }
  }
  const beforeFlush = records.length;
  const pendingBeforeFlush = matcher.pending;
  matcher.flush();
  const { counters, pending } = matcher;
  return { beforeFlush, records, counters: { ...counters }, pendingBeforeFlush, pending };
}

/** Adds to a sequence number modulo 2^32. */
export function plus(sequence: number, octets: number): number {
  return Number(BigInt.asUintN(32, BigInt(sequence) + BigInt(octets)));
}

/** A kernel record's fields that a test names; the rest is that of an established client. */
export type HalfFields = Partial<Omit<KernelEnd, "options" | "kind">> & {
  options?: Partial<NegotiatedOptions>;
};

/** A handshake to play: both ends, both initial sequence numbers, and the packets they make. */
export class Play {
  /**
   * @param client Who sends the SYN. @param server Who answers it.
   * @param x Client's initial sequence number. @param y Server's.
   */
  constructor(
    readonly client: End,
    readonly server: End,
    readonly x: number,
    readonly y: number,
  ) {}

  /** The same tuple with other initial sequence numbers. */
  again(x: number, y: number): Play {
    return new Play(this.client, this.server, x, y);
  }

  syn(timeNs: number, fields: Partial<Packet> = {}, place = 1): Event {
    return this.#send(true, timeNs, place, TcpFlag.SYN, this.x, undefined, fields);
  }

  synAck(timeNs: number, fields: Partial<Packet> = {}, place = 1): Event {
    const flags = TcpFlag.SYN | TcpFlag.ACK;
    return this.#send(false, timeNs, place, flags, this.y, plus(this.x, 1), fields);
  }

  /** The third packet. */
  ack(timeNs: number, fields: Partial<Packet> = {}, place = 1): Event {
    const sequence = plus(this.x, 1);
    return this.#send(
      true,
      timeNs,
      place,
      TcpFlag.ACK,
      sequence,
      plus(this.y, 1),
      fields,
    );
  }

  /** A segment of the server behind its SYN-ACK: an ACK without data unless it says otherwise. */
  fromServer(timeNs: number, fields: Partial<Packet> = {}, place = 1): Event {
    const [sequence, acknowledgment] = [plus(this.y, 1), plus(this.x, 1)];
    const flags = TcpFlag.ACK;
    return this.#send(false, timeNs, place, flags, sequence, acknowledgment, fields);
  }

  /** RST,ACK in answer to the SYN. */
  refusal(timeNs: number, fields: Partial<Packet> = {}, place = 1): Event {
    const flags = TcpFlag.RST | TcpFlag.ACK;
    return this.#send(false, timeNs, place, flags, 0, plus(this.x, 1), fields);
  }

  /** RST of the server after its SYN-ACK. */
  serverReset(timeNs: number, fields: Partial<Packet> = {}, place = 1): Event {
    return this.#send(false, timeNs, place, TcpFlag.RST, plus(this.y, 1), 0, fields);
  }

  /** RST of the client after the SYN-ACK. */
  clientReset(timeNs: number, fields: Partial<Packet> = {}, place = 1): Event {
    return this.#send(true, timeNs, place, TcpFlag.RST, plus(this.x, 1), 0, fields);
  }

  /** An ICMP error that quotes the SYN: of the server, "host unreachable", unless it says otherwise. */
  icmp(timeNs: number, fields: Partial<Icmp> = {}, quoted: Partial<Packet> = {}): Event {
    const syn = { from: this.client, to: this.server, flags: TcpFlag.SYN, sequence: this.x };
    const icmp = { type: 3, code: 1, reporter: this.server.address, ...fields };
    return { icmp: { ...icmp, quoted: { ...syn, ...quoted } }, timeNs };
  }

  /** The client's side from the kernel, established unless the fields say otherwise. */
  clientKernel(endNs: number, fields: HalfFields = {}): { record: KernelEnd } {
    const established = (fields.newState ?? 1) === 1;
    return this.#half(
      {
        kind: "client",
        oldState: 2,
        local: this.client.address,
        remote: this.server.address,
        localPort: this.client.port,
        remotePort: this.server.port,
        iss: this.x,
        irs: established ? this.y : undefined,
        pid: 4711,
        comm: "curl",
        uid: 1000,
        cgroup: 8231,
      },
      endNs,
      fields,
    );
  }

  /** The server's side from the kernel, established unless the fields say otherwise. */
  serverKernel(endNs: number, fields: HalfFields = {}): { record: KernelEnd } {
    return this.#half(
      {
        kind: "server",
        oldState: 3,
        local: this.server.address,
        remote: this.client.address,
        localPort: this.server.port,
        remotePort: this.client.port,
        iss: this.y,
        irs: this.x,
        pid: 0,
        comm: "",
        uid: 33,
        cgroup: 99,
      },
      endNs,
      fields,
    );
  }

  /** accept() returned the server's socket. */
  accept(endNs: number, fields: Partial<KernelAccept> = {}): { record: KernelAccept } {
    return {
      record: {
        kind: "accepted",
        endNs,
        local: this.server.address,
        remote: this.client.address,
        localPort: this.server.port,
        remotePort: this.client.port,
        irs: this.x,
        pid: 812,
        comm: "worker",
        thread: undefined,
        isKernel: false,
        uid: 34,
        netns: 4026531840,
        cgroup: 100,
        ...fields,
      },
    };
  }

  /** The SYN was dropped. */
  synDrop(endNs: number, fields: Partial<KernelDrop> = {}): { record: KernelDrop } {
    return {
      record: {
        kind: "dropped",
        endNs,
        ...this.#toServer(),
        flags: TcpFlag.SYN,
        sequence: this.x,
        acknowledgment: 0,
        reason: "NETFILTER_DROP",
        ...fields,
      },
    };
  }

  /** The listener refused the SYN because its accept queue was full. */
  queueDrop(endNs: number, fields: Partial<KernelDrop> = {}): { record: KernelDrop } {
    return this.synDrop(endNs, {
      reason: "ACCEPT_QUEUE_FULL",
      queue: { length: 129, limit: 128 },
      netns: 4026532000,
      ...fields,
    });
  }

  /** The SYN-ACK was dropped. */
  synAckDrop(endNs: number, fields: Partial<KernelDrop> = {}): { record: KernelDrop } {
    return {
      record: {
        kind: "dropped",
        endNs,
        source: this.server.address,
        destination: this.client.address,
        sourcePort: this.server.port,
        destinationPort: this.client.port,
        flags: TcpFlag.SYN | TcpFlag.ACK,
        sequence: this.y,
        acknowledgment: plus(this.x, 1),
        reason: "NETFILTER_DROP",
        ...fields,
      },
    };
  }

  /** The server's kernel answered the SYN with a RST. */
  synReset(endNs: number, fields: Partial<KernelReset> = {}): { record: KernelReset } {
    return {
      record: {
        kind: "reset",
        endNs,
        ...this.#toServer(),
        flags: TcpFlag.SYN,
        sequence: this.x,
        acknowledgment: 0,
        reason: "NO_SOCKET",
        ...fields,
      },
    };
  }

  /** The server's kernel answered the third ACK with a RST. */
  ackReset(endNs: number, fields: Partial<KernelReset> = {}): { record: KernelReset } {
    return this.synReset(endNs, {
      flags: TcpFlag.ACK,
      sequence: plus(this.x, 1),
      acknowledgment: plus(this.y, 1),
      reason: "TCP_ABORT_ON_OVERFLOW",
      ...fields,
    });
  }

  /** The client's kernel answered the SYN-ACK with a RST. */
  synAckReset(endNs: number, fields: Partial<KernelReset> = {}): { record: KernelReset } {
    const { kind: _, reason, ...packet } = this.synAckDrop(endNs, { reason: "NO_SOCKET" }).record;
    return { record: { kind: "reset", ...packet, reason, ...fields } };
  }

  #toServer(): Pick<KernelDrop, "source" | "destination" | "sourcePort" | "destinationPort"> {
    return {
      source: this.client.address,
      destination: this.server.address,
      sourcePort: this.client.port,
      destinationPort: this.server.port,
    };
  }

  #send(
    fromClient: boolean,
    timeNs: number,
    place: number,
    flags: number,
    sequence: number,
    acknowledgment: number | undefined,
    fields: Partial<Packet>,
  ): Event {
    const [from, to] = fromClient ? [this.client, this.server] : [this.server, this.client];
    const packet = { from, to, flags, sequence, acknowledgment, ...fields };
    return { packet, timeNs, place };
  }

  #half(
    own: Pick<
      KernelEnd,
      | "kind"
      | "oldState"
      | "local"
      | "remote"
      | "localPort"
      | "remotePort"
      | "iss"
      | "irs"
      | "pid"
      | "comm"
      | "uid"
      | "cgroup"
    >,
    endNs: number,
    fields: HalfFields,
  ): { record: KernelEnd } {
    const { options, ...rest } = fields;
    return {
      record: {
        newState: 1,
        connectNs: undefined,
        synSentNs: undefined,
        endNs,
        synReceivedNs: undefined,
        listener: undefined,
        devices: undefined,
        thread: undefined,
        isKernel: false,
        synCookie: undefined,
        netns: 4026531840,
        rttMinUs: undefined,
        retransmits: 0,
        error: 0,
        ...own,
        ...rest,
        options: options && {
          ...NO_OPTIONS,
          ...options,
        },
      },
    };
  }
}

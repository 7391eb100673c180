import type { Process, QueueState } from "../kernel/kernel_record.ts";
import type { TunnelName } from "../wire/tunnel.ts";

/** How a handshake can end. */
export const OUTCOMES = [
  "established",
  "refused",
  "timeout",
  "unreachable",
  "aborted",
  "half_open",
  "dropped",
  "unanswered",
] as const;

/** How a handshake ended. */
export type Outcome = typeof OUTCOMES[number];

/** The parts that this host can have in a handshake: one end, both ends, or neither. */
export const ROLES = ["client", "server", "local", "observer"] as const;

/** This host's part in a handshake. */
export type Role = typeof ROLES[number];

/** The packets of a handshake whose loss in the kernel is told. */
export const DROPPED_PACKETS = ["syn", "syn_ack"] as const;

/** A packet of a handshake that the kernel dropped. */
export type DroppedPacket = typeof DROPPED_PACKETS[number];

/** Facts of a handshake that are worth a word and are no error. */
export const HANDSHAKE_FLAGS = [
  "tcp_fast_open",
  "mptcp",
  "ecn",
  "accecn",
  "simultaneous_open",
  "self_connect",
  "syn_cookie",
  "one_sided",
  "trace_ended",
  "clock_set",
] as const;

/** One of {@link HANDSHAKE_FLAGS}. */
export type HandshakeFlag = typeof HANDSHAKE_FLAGS[number];

/** An ICMP error in answer to a SYN. */
export interface IcmpAnswer {
  /** The kernel's symbol of what it says: `ICMP_HOST_UNREACH`, `ICMPV6_NOROUTE`. */
  symbol: string;
  /** Who says so, four words. */
  reporter: Uint32Array;
}

/** Where an end is. */
export interface Address {
  /** Four words, IPv4 as IPv4-mapped IPv6. */
  readonly address: Uint32Array;
  /** TCP port; 0 where a connect() failed before it chose one. */
  port: number;
}

/** Both ends, as the packets at one place have them. */
export interface Tuple {
  /** The end that sent the SYN. */
  readonly client: Address;
  /** The end that the SYN went to. */
  readonly server: Address;
}

/** One end of a handshake. What its first packet did not say or nobody saw is undefined. */
export interface Endpoint extends Address {
  /** Initial sequence number. */
  isn: number | undefined;
  /** Maximum segment size announced, bytes. */
  mss: number | undefined;
  /** Window announced in SYN or SYN-ACK, bytes: never scaled there (RFC 7323 section 2.2). */
  window: number | undefined;
  /** Window scale shift announced. */
  windowScale: number | undefined;
  /** Whether SACK permitted was announced. */
  sackPermitted: boolean | undefined;
  /** Whether the timestamps option was there. */
  timestamps: boolean | undefined;
  /** Who connected or listens. */
  process: Process | undefined;
}

/**
 * One handshake, as the matcher hands it out. The object is filled anew for each: whoever keeps one
 * copies it first, or keeps the record that `toRecord` makes of it. All times and durations are
 * integer nanoseconds; undefined means unknown.
 */
export class Handshake {
  /** Whole seconds of Unix time that `timeNs` counts from. */
  epochSeconds = 0;
  /**
   * The first SYN on the wire, or the first kernel time where no packet was seen. A double from the first
   * on: with the first time that is no small integer all code made for this class would be made again.
   */
  timeNs: number = -0;
  /** This host's part. */
  role: Role = "observer";
  /** How it ended. */
  outcome: Outcome = "unanswered";
  /**
   * Symbol of the errno that the client's socket got; without one, of the ICMP error that answered the
   * SYN, or where the SYN was dropped or refused on this host, of the kernel's reason.
   */
  reason: string | undefined;
  /** Whether a packet of it was captured. */
  wire = false;
  /** Whether the kernel told of it. */
  kernel = false;
  /** Whether both addresses are IPv4. */
  ipv4 = false;
  /** Index of the interface whose times count; 0 unknown. */
  place = 0;
  /** Indices of the interfaces where a SYN or SYN-ACK was seen, the first first; at most eight. */
  readonly interfaces: number[] = [];
  /** Id of the outermost VLAN tag that its packets carried. */
  vlan: number | undefined;
  /** Tunnels around its packets, the outermost first. */
  tunnels: readonly TunnelName[] = [];
  /** Network namespace of the client's socket, or of the server's where only that is known. */
  netns: number | undefined;
  /** The other tuple by which it went, where this host translates addresses (NAT). */
  translated: Tuple | undefined;
  /** The end that sent the SYN. */
  readonly client: Endpoint = newEndpoint();
  /** The end that the SYN went to. */
  readonly server: Endpoint = newEndpoint();

  /** SYN to SYN-ACK: of the SYN that was answered. */
  clientRttNs: number | undefined;
  /** SYN-ACK to ACK: of the SYN-ACK that was answered. */
  serverRttNs: number | undefined;
  /** First SYN to ACK. */
  totalNs: number | undefined;
  /** Whether an RTT is withheld because which packet was answered cannot be told (Karn). */
  ambiguous = false;
  /** First SYN to SYN-ACK, only with repeated SYNs. */
  firstSynToSynAckNs: number | undefined;
  /** Last SYN before the SYN-ACK to SYN-ACK, only with repeated SYNs. */
  lastSynToSynAckNs: number | undefined;
  /** First SYN-ACK to ACK, only with repeated SYN-ACKs. */
  firstSynAckToAckNs: number | undefined;
  /** Last SYN-ACK before the ACK to ACK, only with repeated SYN-ACKs. */
  lastSynAckToAckNs: number | undefined;
  /** The client kernel's own sample of SYN to SYN-ACK. */
  kernelClientRttNs: number | undefined;
  /** The server kernel's own sample of SYN-ACK to ACK. */
  kernelServerRttNs: number | undefined;

  /** SYNs seen, repeated ones included. */
  synCount = 0;
  /** SYN-ACKs seen, repeated ones included. */
  synAckCount = 0;
  /** RSTs that ended it. */
  rstCount = 0;

  /** When connect() was called, relative to `timeNs` like all that follow. */
  connectNs: number | undefined;
  /** The client's kernel was about to send the first SYN. */
  synSentNs: number | undefined;
  /** First SYN captured. */
  synNs: number | undefined;
  /** The listener took the SYN that was answered. */
  synReceivedNs: number | undefined;
  /** First SYN-ACK captured. */
  synAckNs: number | undefined;
  /** The completing ACK captured. */
  ackNs: number | undefined;
  /** This host's socket became ESTABLISHED; the client's where both ends are here. */
  establishedNs: number | undefined;
  /** The server's socket became ESTABLISHED, where both ends are here. */
  serverEstablishedNs: number | undefined;
  /** accept() returned the socket, where it did before the handshake was reported. */
  acceptedNs: number | undefined;
  /** The first ICMP error that quotes the SYN was captured. */
  icmpNs: number | undefined;
  /** This host's kernel dropped a packet of it: the last that it did. */
  droppedNs: number | undefined;
  /** This host's kernel answered a packet of it with a RST. */
  resetSentNs: number | undefined;

  /** The first ICMP error that quotes the SYN. */
  icmp: IcmpAnswer | undefined;
  /** Packets of it that this host's kernel dropped; undefined where none is known. */
  dropCount: number | undefined;
  /** Why the last of them was dropped: the kernel's symbol. */
  dropReason: string | undefined;
  /** Which packet the last of them was. */
  dropPacket: DroppedPacket | undefined;
  /** The listener's queue that was full, where that is the reason. */
  dropQueue: QueueState | undefined;
  /** Why this host's kernel answered a packet of it with a RST: the kernel's symbol. */
  resetReason: string | undefined;

  /** SYN-ACK's Ack = SYN's Seq + 1, plus accepted data; undefined where a packet is missing. */
  synAckAcknowledgesSyn: boolean | undefined;
  /** ACK's Seq = SYN's Seq + 1, plus sent data. */
  ackSequence: boolean | undefined;
  /** ACK's Ack = SYN-ACK's Seq + 1. */
  ackAcknowledgesSynAck: boolean | undefined;

  /** Facts that are no error. */
  readonly flags: HandshakeFlag[] = [];
}

function newEndpoint(): Endpoint {
  return {
    address: new Uint32Array(4),
    port: 0,
    isn: undefined,
    mss: undefined,
    window: undefined,
    windowScale: undefined,
    sackPermitted: undefined,
    timestamps: undefined,
    process: undefined,
  };
}

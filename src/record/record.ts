import type { Process } from "../kernel/kernel_record.ts";
import type { DroppedPacket, HandshakeFlag, Outcome, Role } from "../match/handshake.ts";
import type { TunnelName } from "../wire/tunnel.ts";

/** The process at one end; part of an {@link EndpointRecord}. */
export interface ProcessRecord extends Process {
  /** Path of its cgroup in the cgroup v2 hierarchy: untrusted text. */
  cgroup_path?: string;
}

/** One end of a {@link HandshakeRecord}; `FIELDS` holds each field's meaning. */
export interface EndpointRecord {
  /** IP address as text. */
  address: string;
  /** TCP port. */
  port: number;
  /** Initial sequence number. */
  isn?: number;
  /** Maximum segment size announced, bytes. */
  mss?: number;
  /** Window announced, bytes. */
  window?: number;
  /** Window scale shift announced. */
  window_scale?: number;
  /** Whether SACK permitted was announced. */
  sack_permitted?: boolean;
  /** Whether timestamps were announced. */
  timestamps?: boolean;
  /** The process at this end. */
  process?: ProcessRecord;
}

/** Where one end is in the other tuple; part of a {@link TranslatedRecord}. */
export interface AddressRecord {
  /** IP address as text. */
  address: string;
  /** TCP port. */
  port: number;
}

/** The other tuple of a handshake that this host translates; part of a {@link NetworkRecord}. */
export interface TranslatedRecord {
  /** The end that sent the SYN. */
  client: AddressRecord;
  /** The end that the SYN went to. */
  server: AddressRecord;
}

/** Addresses below TCP; part of a {@link HandshakeRecord}. */
export interface NetworkRecord {
  /** IP version of the packets. */
  type: "ipv4" | "ipv6";
  /** Name of the interface whose packet times are given. */
  interface?: string;
  /** Names of all interfaces that a SYN or SYN-ACK passed, where they were several. */
  interfaces?: string[];
  /** Id of the outermost VLAN tag. */
  vlan?: number;
  /** Tunnels around its packets, the outermost first. */
  tunnels?: TunnelName[];
  /** Inode number of the network namespace. */
  netns?: number;
  /** Community ID v1 flow hash. */
  community_id?: string;
  /** The other tuple, where this host translates addresses (NAT). */
  translated?: TranslatedRecord;
}

/** Durations between packets, nanoseconds; part of a {@link HandshakeRecord}. */
export interface RttRecord {
  /** SYN to SYN-ACK. */
  client_ns?: number;
  /** SYN-ACK to ACK. */
  server_ns?: number;
  /** First SYN to ACK. */
  total_ns?: number;
  /** Whether an RTT is absent because which packet was answered cannot be told. */
  ambiguous: boolean;
  /** With repeated SYNs: from the first. */
  first_syn_to_syn_ack_ns?: number;
  /** With repeated SYNs: from the last before the SYN-ACK. */
  last_syn_to_syn_ack_ns?: number;
  /** With repeated SYN-ACKs: from the first. */
  first_syn_ack_to_ack_ns?: number;
  /** With repeated SYN-ACKs: from the last before the ACK. */
  last_syn_ack_to_ack_ns?: number;
  /** The client kernel's own sample. */
  kernel_client_ns?: number;
  /** The server kernel's own sample. */
  kernel_server_ns?: number;
}

/** Packets counted, repeated ones included; part of a {@link HandshakeRecord}. */
export interface PacketsRecord {
  /** SYNs. */
  syn: number;
  /** SYN-ACKs. */
  syn_ack: number;
  /** RSTs that ended it. */
  rst: number;
}

/** Moments in nanoseconds after `time`; part of a {@link HandshakeRecord}. */
export interface TimesRecord {
  /** connect() was called. */
  connect_ns?: number;
  /** The client's kernel was about to send the first SYN. */
  syn_sent_ns?: number;
  /** First SYN. */
  syn_ns?: number;
  /** The listener took the SYN that was answered. */
  syn_received_ns?: number;
  /** First SYN-ACK. */
  syn_ack_ns?: number;
  /** The ACK that completes it. */
  ack_ns?: number;
  /** This host's socket became ESTABLISHED. */
  established_ns?: number;
  /** The server's socket became ESTABLISHED, where both ends are here. */
  server_established_ns?: number;
  /** accept() returned the socket. */
  accepted_ns?: number;
  /** This host's kernel dropped a packet of it, the last time. */
  dropped_ns?: number;
  /** This host's kernel answered a packet with a RST. */
  reset_sent_ns?: number;
}

/** Packets that this host's kernel dropped; part of a {@link HandshakeRecord}. */
export interface DropRecord {
  /** Why the last of them was dropped: the kernel's symbol. */
  reason: string;
  /** Which packet the last of them was. */
  packet: DroppedPacket;
  /** How many there were. */
  count: number;
  /** Entries in the listener's queue that was full. */
  queue_length?: number;
  /** Entries that queue may have. */
  queue_limit?: number;
}

/** A RST that this host's kernel sent; part of a {@link HandshakeRecord}. */
export interface ResetRecord {
  /** Why: the kernel's symbol. */
  reason: string;
}

/** Verdicts on the three relations of the numbers; part of a {@link HandshakeRecord}. */
export interface ChecksRecord {
  /** SYN-ACK's Ack = SYN's Seq + 1 (plus data accepted from the SYN). */
  syn_ack_acknowledges_syn?: boolean;
  /** ACK's Seq = SYN's Seq + 1 (plus data sent in the SYN). */
  ack_sequence?: boolean;
  /** ACK's Ack = SYN-ACK's Seq + 1. */
  ack_acknowledges_syn_ack?: boolean;
}

/**
 * One handshake as it stands in a line of NDJSON, version 1. Absent means unknown. Times and
 * durations are integer nanoseconds; `FIELDS` holds each field's meaning and unit.
 */
export interface HandshakeRecord {
  /** Version of the record. */
  v: 1;
  /** Kind of the line. */
  event: "handshake";
  /** RFC 3339 in UTC with nine digits: the first SYN, or the first kernel time without one. */
  time: string;
  /** Name of the host that traced. */
  host: string;
  /** This host's part. */
  role: Role;
  /** How it ended. */
  outcome: Outcome;
  /** Symbol of the errno, else of the ICMP error or of the kernel's own reason; null for none. */
  reason: string | null;
  /** Which sources saw it. */
  evidence: ("wire" | "kernel")[];
  /** What lies below TCP. */
  network: NetworkRecord;
  /** The end that sent the SYN. */
  client: EndpointRecord;
  /** The end that the SYN went to. */
  server: EndpointRecord;
  /** Durations between packets. */
  rtt: RttRecord;
  /** Packets counted. */
  packets: PacketsRecord;
  /** Moments after `time`. */
  times?: TimesRecord;
  /** Packets that this host's kernel dropped; absent where none is known. */
  drop?: DropRecord;
  /** The RST that this host's kernel sent; absent where none is known. */
  reset?: ResetRecord;
  /** Verdicts on the numbers; absent where the packets are missing. */
  checks?: ChecksRecord;
  /** Facts that are no error. */
  flags: HandshakeFlag[];
}

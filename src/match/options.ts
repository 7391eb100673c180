import type { HostContext } from "./conclude.ts";
import type { Handshake } from "./handshake.ts";

/**
 * Who keeps something of a handshake's packets by its row in the table, which `Matcher.packet` tells
 * and `onHandshake` is given. A row is used again for another handshake after it was reported.
 */
export interface RowKeeper {
  /** A handshake begins in a row: what was kept there is of another. */
  begin(row: number): void;
  /** The handshake of a row was found to be another's: what was kept is that one's. */
  join(row: number, into: number): void;
}

/** The row of a handshake that came from no matcher: no packets are kept of it. */
export const NO_ROW = -1;

/** Takes a handshake, an object that is reused, and the row it was in. */
export type OnHandshake = (handshake: Handshake, row: number) => void;

/** Settings of a `Matcher`; each has a default. */
export interface MatcherOptions extends HostContext {
  /**
   * Whether the packets hold the data that a server may send before the third ACK. Where a socket filter
   * keeps it back, that ACK may acknowledge as much as the client's first window holds. True unless set.
   */
  seesServerData?: boolean;
  /**
   * Told what becomes of the rows.
   *
   * @internal
   */
  rowKeeper?: RowKeeper;
  /** Handshakes under way at the most: beyond it the half-open one untouched longest is given up. */
  capacity?: number;
  /**
   * Reported handshakes that keep their rows; of those before them less is remembered.
   *
   * @internal
   */
  reportedRows?: number;
  /** How long a handshake whose end is known waits for the other sources, nanoseconds. */
  joinNs?: number;
  /** How long an end is doubted that later packets, or the kernel, may tell otherwise. */
  doubtNs?: number;
  /** How long a SYN without an answer is waited for after the last one. */
  unansweredNs?: number;
  /** How long a SYN-ACK without an ACK is waited for after the last one. */
  halfOpenNs?: number;
  /** The same where this host is the client, and so its settings say when it gives up. */
  ownUnansweredNs?: number;
  /** The same where this host is the server. */
  ownHalfOpenNs?: number;
  /** How long a reported handshake is remembered, so that stragglers make no second record. */
  rememberNs?: number;
}

/** What a matcher could not use, by place. Each is a packet or record, not a handshake. */
export interface MatcherCounters {
  /** Half-open handshakes given up because the table was full. */
  evicted: number;
  /**
   * The same because too many others have the same addresses and ports; and SYNs that cannot be told from those of
   * too many handshakes that have the same number too, each in a VLAN of its own.
   */
  crowded: number;
  /** Handshakes reported as failed of which the kernel said ESTABLISHED later. */
  contradicted: number;
  /** Kernel records that came after their handshake was reported, or a second time. */
  lateKernelRecords: number;
  /** accept()s of handshakes that are not under way: a program may accept long after. */
  lateAccepts: number;
  /** SYN-ACKs, dropped ones too, third packets and RSTs whose numbers fit no handshake under way. */
  unexpected: number;
}

/** Handshakes under way at the most, unless told otherwise. */
export const ROWS_USUAL = 65_536;

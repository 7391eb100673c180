/**
 * How long a host goes on trying, and so how long an answer can still come.
 *
 * @module
 */

/** How often Linux repeats a packet of a handshake that is not answered; see tcp(7). */
export interface RetrySettings {
  /** SYNs that a client sends again (`net.ipv4.tcp_syn_retries`). */
  synRetries: number;
  /** SYN-ACKs that a server sends again (`net.ipv4.tcp_synack_retries`). */
  synAckRetries: number;
  /** The longest that it waits before it sends again (`net.ipv4.tcp_rto_max_ms`, Linux 6.15). */
  rtoMaxMs: number;
}

/** What Linux has where nobody set anything else. */
export const LINUX_RETRY_SETTINGS: RetrySettings = {
  synRetries: 6,
  synAckRetries: 5,
  rtoMaxMs: 120_000,
};

/** Before the first repetition (`TCP_TIMEOUT_INIT` of include/net/tcp.h, RFC 6298 section 2.1). */
const FIRST_TIMEOUT_MS = 1_000;
/** Timers are late on a busy host. */
const MARGIN = 1.1;

/**
 * How long to wait for an answer after the last packet that was sent.
 *
 * Each repetition waits twice as long as the one before. Those that do not
 * (`tcp_syn_linear_timeouts`) come before these and are not counted among the retries.
 *
 * @returns Nanoseconds, after a SYN and after a SYN-ACK.
 */
export function retryWaits(
  { synRetries, synAckRetries, rtoMaxMs }: RetrySettings,
): { unansweredNs: number; halfOpenNs: number } {
  const waitNs = (retries: number) =>
    Math.min(FIRST_TIMEOUT_MS * 2 ** retries, rtoMaxMs) * MARGIN * 1e6;
  return { unansweredNs: waitNs(synRetries), halfOpenNs: waitNs(synAckRetries) };
}

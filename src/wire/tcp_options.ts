/**
 * TCP options: those of a handshake as values, and all of them as a list.
 *
 * @module
 */

import {
  EXPERIMENT_HEADER_LENGTH,
  isFastOpenExperiment,
  isOptionSizeAllowed,
  mptcpSubtype,
  OPTION_END,
  OPTION_HEADER_LENGTH,
  OPTION_IMPOSSIBLE,
  optionSize,
  TcpOptionKind,
  tcpOptionName,
} from "./tcp_option_kind.ts";

/** Offset of TSecr in the timestamps option; TSval follows the header (RFC 7323 §3.2). */
const TIMESTAMP_ECHO = 6;

/**
 * The options of one segment that a handshake turns on. One object is filled again and again by
 * {@linkcode readTcpOptions}. Of an option that is there twice the last counts, as in Linux; one
 * with a length that its RFC does not allow counts as absent and sets `malformed`. A maximum segment
 * size of zero counts only where there is no other.
 */
export class TcpOptions {
  /** Maximum segment size in bytes (RFC 9293 §3.7.1), -1 absent. */
  mss: number = -1;
  /** Shift count as sent, 0 to 255 (receivers use at most 14, RFC 7323 §2.3), -1 absent. */
  windowScale: number = -1;
  /** SACK permitted (RFC 2018 §2). */
  sackPermitted = false;
  /** Whether the timestamps option is there (RFC 7323 §3.2). */
  timestamps = false;
  /** TSval, unsigned 32 bits; 0 when absent. */
  timestampValue = 0;
  /** TSecr, unsigned 32 bits; 0 when absent. Means something only with the ACK flag. */
  timestampEcho = 0;
  /**
   * Bytes of the TCP Fast Open cookie (RFC 7413 §4.1.1, kind 34 or experiment 0xf989 of kind 254), 0 a cookie
   * request, -1 absent.
   */
  fastOpenCookieLength: number = -1;
  /** MPTCP subtype: 0 MP_CAPABLE, 1 MP_JOIN, ... (RFC 8684 §3), -1 absent. */
  mptcpSubtype: number = -1;
  /** Whether an AccECN option of either order is there (RFC 9768 §3.2.3). */
  accEcnOption = false;
  /** Whether an option had an impossible length; the options before and after it still count. */
  malformed = false;
  /** Whether the capture cut the option area short: options behind the cut are unknown. */
  truncated = false;

  /** Makes every option absent. */
  reset(): void {
    this.mss = -1;
    this.windowScale = -1;
    this.sackPermitted = false;
    this.timestamps = false;
    this.timestampValue = 0;
    this.timestampEcho = 0;
    this.fastOpenCookieLength = -1;
    this.mptcpSubtype = -1;
    this.accEcnOption = false;
    this.malformed = false;
    this.truncated = false;
  }
}

/**
 * Reads an option area into `into`, which loses what it held. Never throws for an area that lies
 * inside `view`. As Linux does (`tcp_parse_options`), the reading ends at an end-of-option-list, at
 * an option that goes on behind the area, and at one shorter than its own header.
 *
 * @param view Bytes.
 * @param offset Offset of the first option.
 * @param length Bytes of the area that are in `view`.
 * @param into Filled.
 * @param truncated Whether the area is longer than `length` in the packet itself. An option that
 * goes on behind `length` is then cut, not malformed.
 */
export function readTcpOptions(
  view: DataView,
  offset: number,
  length: number,
  into: TcpOptions,
  truncated = false,
): void {
  into.reset();
  into.truncated = truncated;
  const end = offset + length;
  for (let at = offset; at < end;) {
    const size = optionSize(view, at, end);
    if (size === OPTION_END) return;
    if (size < 0) {
      into.malformed ||= !truncated || size === OPTION_IMPOSSIBLE;
      return;
    }
    if (size > 1) readOption(view, at, size, into);
    at += size;
  }
}

function readOption(view: DataView, at: number, size: number, into: TcpOptions): void {
  if (!isOptionSizeAllowed(view, at, size)) {
    into.malformed = true;
    // As Linux, which forgets an earlier cookie for one that is too short or too long, not for an odd one.
    if (isFastOpen(view, at, size) && size % 2 === 0) into.fastOpenCookieLength = -1;
    return;
  }
  const value = at + OPTION_HEADER_LENGTH;
  switch (view.getUint8(at)) {
    case TcpOptionKind.MSS:
      // Linux passes over one of zero.
      into.mss = view.getUint16(value) || Math.max(into.mss, 0);
      break;
    case TcpOptionKind.WINDOW_SCALE:
      into.windowScale = view.getUint8(value);
      break;
    case TcpOptionKind.SACK_PERMITTED:
      into.sackPermitted = true;
      break;
    case TcpOptionKind.TIMESTAMPS:
      into.timestamps = true;
      into.timestampValue = view.getUint32(value);
      into.timestampEcho = view.getUint32(at + TIMESTAMP_ECHO);
      break;
    case TcpOptionKind.MPTCP:
      into.mptcpSubtype = mptcpSubtype(view, at);
      break;
    case TcpOptionKind.FAST_OPEN:
      into.fastOpenCookieLength = size - OPTION_HEADER_LENGTH;
      break;
    case TcpOptionKind.ACCECN_ORDER_0:
    case TcpOptionKind.ACCECN_ORDER_1:
      into.accEcnOption = true;
      break;
    case TcpOptionKind.EXPERIMENT_2:
      if (isFastOpenExperiment(view, at, size)) {
        into.fastOpenCookieLength = size - EXPERIMENT_HEADER_LENGTH;
      }
      break;
  }
}

function isFastOpen(view: DataView, at: number, size: number): boolean {
  return view.getUint8(at) === TcpOptionKind.FAST_OPEN || isFastOpenExperiment(view, at, size);
}

/** One TCP option as it stands in a segment. */
export interface TcpOption {
  /** Option kind, 0 to 255. */
  kind: number;
  /**
   * Name in snake_case, `"unknown"` without one; `"tcp_fast_open_experiment"` for the experimental
   * form of that option.
   */
  name: string;
  /** What follows kind and length (experiment identifiers included); shares the input's memory. */
  data: Uint8Array;
  /**
   * Whether the length is impossible: shorter than the option's own header, behind the end of the
   * area (`data` is then what is left of it), or one that the option's RFC does not allow.
   */
  malformed: boolean;
}

/**
 * Lists every option of an option area in order: unknown ones, no-operations and the end of the
 * list too. Padding behind the end of the list is left out; an option whose length makes the walk
 * impossible is the last one. Never throws.
 *
 * @example
 * ```ts
 * import { listTcpOptions } from "./tcp_options.ts";
 *
 * listTcpOptions(new Uint8Array([2, 4, 0x05, 0xb4]));
 * // [{ kind: 2, name: "mss", data: Uint8Array [0x05, 0xb4], malformed: false }]
 * ```
 *
 * @param bytes The option area: what lies between the fixed TCP header and the data.
 */
export function listTcpOptions(bytes: Uint8Array): TcpOption[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const options: TcpOption[] = [];
  for (let at = 0; at < bytes.length;) {
    const kind = bytes[at];
    const size = optionSize(view, at, bytes.length);
    const next = size > 0 ? at + size : size === OPTION_END ? at + 1 : bytes.length;
    options.push({
      kind,
      name: isFastOpenExperiment(view, at, size) ? "tcp_fast_open_experiment" : tcpOptionName(kind),
      data: bytes.subarray(Math.min(at + OPTION_HEADER_LENGTH, next), next),
      malformed: size < 0 || size > 1 && !isOptionSizeAllowed(view, at, size),
    });
    if (size <= 0) break;
    at = next;
  }
  return options;
}

/**
 * synsnoop as a library: decode packets, match them and kernel records into TCP handshakes, and
 * encode those. Everything here is pure: no permission is needed, no clock is read.
 *
 * ```ts
 * import { decodeFrame, FrameVerdict, LinkType, Matcher, Segment, toRecord } from "./mod.ts";
 *
 * const context = { host: "example", interfaceName: () => undefined };
 * const matcher = new Matcher(0, (handshake) => console.log(toRecord(handshake, context)));
 * const segment = new Segment();
 * const frame = new Uint8Array(60); // one captured frame
 * const view = new DataView(frame.buffer);
 * if (decodeFrame(view, 0, 60, 60, LinkType.ETHERNET, segment) === FrameVerdict.Tcp) {
 *   matcher.packet(segment, 1_000, 1); // captured 1 µs after the epoch, on interface 1
 * }
 * matcher.flush();
 * ```
 *
 * What the kernel says goes to the same matcher, here of a SYN that a full accept queue refused:
 *
 * ```ts
 * import { Matcher, parseAddress, TcpFlag } from "./mod.ts";
 *
 * const matcher = new Matcher(0, ({ outcome, reason }) => console.log(outcome, reason));
 * matcher.kernelRecord({
 *   kind: "dropped",
 *   endNs: 1_000,
 *   source: parseAddress("192.0.2.1")!,
 *   destination: parseAddress("198.51.100.2")!,
 *   sourcePort: 50_000,
 *   destinationPort: 443,
 *   flags: TcpFlag.SYN,
 *   sequence: 0x4ce45750,
 *   acknowledgment: 0,
 *   reason: "ACCEPT_QUEUE_FULL",
 *   queue: { length: 129, limit: 128 },
 * });
 * matcher.flush(); // dropped ACCEPT_QUEUE_FULL
 * ```
 *
 * @module
 */
export { addressesEqual, formatAddress, isIpv4Mapped, parseAddress } from "./src/wire/address.ts";
export {
  decodeFrame,
  decodePacket,
  FrameVerdict,
  frameVerdictNames,
  LinkType,
} from "./src/wire/frame.ts";
export { type EcnSetup, ecnSetup, Segment, TcpFlag } from "./src/wire/segment.ts";
export { IcmpError, unreachableSymbol } from "./src/wire/icmp.ts";
export { sequenceAdd, sequenceDistance, sequenceInWindow } from "./src/wire/sequence.ts";
export {
  listTcpOptions,
  readTcpOptions,
  type TcpOption,
  TcpOptions,
} from "./src/wire/tcp_options.ts";
export type {
  KernelAccept,
  KernelDrop,
  KernelHalf,
  KernelListener,
  KernelPacket,
  KernelRecord,
  KernelReset,
  KernelSocket,
  NegotiatedOptions,
  Process,
  QueueState,
  Task,
  Thread,
} from "./src/kernel/kernel_record.ts";
export type {
  MatcherCounters,
  MatcherOptions,
  OnHandshake,
  RowKeeper,
} from "./src/match/options.ts";
export { TUNNEL_NAMES, type TunnelName, tunnelNames } from "./src/wire/tunnel.ts";
export { ClockAxis } from "./src/match/clock.ts";
export type { Surroundings } from "./src/match/conclude.ts";
export type { Refusal } from "./src/match/drops.ts";
export {
  type Address,
  DROPPED_PACKETS,
  type DroppedPacket,
  type Endpoint,
  Handshake,
  HANDSHAKE_FLAGS,
  type HandshakeFlag,
  type IcmpAnswer,
  type Outcome,
  OUTCOMES,
  type Role,
  ROLES,
  type Tuple,
} from "./src/match/handshake.ts";
export { Matcher } from "./src/match/matcher.ts";
export type { Field, FieldValue, IntegerRange, ReadValue } from "./src/record/field.ts";
export { type RecordContext, RecordedContext } from "./src/record/record_context.ts";
export { FIELDS } from "./src/record/fields.ts";
export { formatHandshake, formatHeading, type LineStyle } from "./src/output/line.ts";
export { ByteText, ConstantText } from "./src/text/byte_text.ts";
export { encodeHandshake, toRecord, writeHandshake } from "./src/record/ndjson.ts";
export type { HandshakeRecord } from "./src/record/record.ts";
export { jsonSchema } from "./src/record/schema.ts";

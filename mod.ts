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
export { sequenceAdd, sequenceDistance, sequenceInWindow } from "./src/wire/sequence.ts";
export {
  listTcpOptions,
  readTcpOptions,
  type TcpOption,
  TcpOptions,
} from "./src/wire/tcp_options.ts";
export type {
  KernelRecord,
  KernelSide,
  NegotiatedOptions,
  Process,
} from "./src/kernel/kernel_record.ts";
export { ClockAxis } from "./src/match/clock.ts";
export type { Surroundings } from "./src/match/conclude.ts";
export {
  type Endpoint,
  Handshake,
  HANDSHAKE_FLAGS,
  type HandshakeFlag,
  type Outcome,
  OUTCOMES,
  type Role,
  ROLES,
} from "./src/match/handshake.ts";
export { Matcher, type MatcherCounters, type MatcherOptions } from "./src/match/matcher.ts";
export { type Field, FIELDS, type FieldValue, type RecordContext } from "./src/report/fields.ts";
export { formatHandshake, formatHeading } from "./src/report/line.ts";
export { encodeHandshake, toRecord } from "./src/report/ndjson.ts";
export type {
  ChecksRecord,
  EndpointRecord,
  HandshakeRecord,
  NetworkRecord,
  PacketsRecord,
  RttRecord,
  TimesRecord,
} from "./src/report/record.ts";
export { jsonSchema } from "./src/report/schema.ts";

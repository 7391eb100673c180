/**
 * synsnoop as a library: decode packets, match them and kernel records into TCP handshakes, encode
 * those, and read them back. Everything here is pure: no permission is needed.
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
 * Capture files, and records that were written before, come through a pipeline to any number of sinks:
 *
 * ```ts
 * import { formatHandshake, InputSource, Pipeline, type Sink } from "./mod.ts";
 *
 * const file = new Blob([]).stream(); // such as (await Deno.open("capture.pcap")).readable
 * const printer: Sink = {
 *   label: "lines",
 *   take: (handshake) => console.log(formatHandshake(handshake).trimEnd()),
 *   flush: () => {},
 *   end: ({ summary }) => console.log(summary.handshakes, "in all"),
 * };
 * const pipeline = new Pipeline({ sinks: [printer] });
 * const source = new InputSource({ interfaces: [], host: "example", pipeline });
 * const reader = source.beginFile();
 * for await (const bytes of file) await reader.feed(bytes);
 * reader.end();
 * if (reader.fault) console.error(reader.fault.reason);
 * source.conclude();
 * await pipeline.end();
 * ```
 *
 * Records alone are read as they come, here those that a trace appends to its file:
 *
 * ```ts
 * import { RecordReader } from "./mod.ts";
 *
 * const file = new Blob([]).stream(); // such as that of `tail -F handshakes.ndjson`
 * const reader = new RecordReader(({ outcome, client, clientRttNs }, { host }) => {
 *   console.log(host, outcome, client.process?.comm, clientRttNs);
 * });
 * for await (const bytes of file) reader.feed(bytes);
 * reader.end();
 * console.log(reader.handshakes, "in all,", reader.refusedCount, "other lines");
 * ```
 *
 * @module
 */
// `InputSource` loads it when it meets records: what is loaded already needs no permission then.
import "./src/pipeline/record_source.ts";

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
export type { Container } from "./src/kernel/container.ts";
export type {
  KernelAccept,
  KernelDrop,
  KernelEnd,
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
export type { MatcherCounters, MatcherOptions, OnHandshake } from "./src/match/options.ts";
export { TUNNEL_NAMES, type TunnelName, tunnelNames } from "./src/wire/tunnel.ts";
export { ClockAxis } from "./src/match/clock.ts";
export type { HostContext } from "./src/match/conclude.ts";
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
export { type Leg, LEGS } from "./src/match/legs.ts";
export { Matcher } from "./src/match/matcher.ts";
export { type RecordContext, RecordedContext } from "./src/record/record_context.ts";
export { formatHandshake, formatHeading, type LineStyle } from "./src/output/line.ts";
export type { WhereContext } from "./src/output/whereabouts.ts";
export { encodeHandshake, toRecord } from "./src/record/ndjson.ts";
export type { HandshakeRecord } from "./src/record/record.ts";
export { jsonSchema } from "./src/record/schema.ts";
export {
  type DecodedHandshake,
  type DecodedLine,
  decodeLine,
} from "./src/record/record_decoder.ts";
export {
  type OnEvent,
  type OnRecord,
  RecordReader,
  type RefusedLines,
} from "./src/record/record_reader.ts";
export type { HandshakeFilter, Network, PortRange } from "./src/pipeline/filter.ts";
export {
  type Held,
  InputReader,
  InputSource,
  type InputSourceOptions,
} from "./src/pipeline/input_source.ts";
export {
  LOSS_PLACES,
  type Losses,
  type LossName,
  type LossPlace,
  type Undecoded,
} from "./src/pipeline/losses.ts";
export type { FileSourceOptions, Silence } from "./src/pipeline/file_source.ts";
export type { UnknownParts } from "./src/pipeline/record_source.ts";
export { type EventContext, Summary } from "./src/pipeline/summary.ts";
export type { CaptureFault } from "./src/pcap/captured_packet.ts";
export { Pipeline, type PipelineOptions } from "./src/pipeline/pipeline.ts";
export type {
  Sink,
  Source,
  SourceCounters,
  Supervisor,
  TraceSpan,
  TraceState,
} from "./src/pipeline/sink.ts";
export type { Moment } from "./src/text/time.ts";

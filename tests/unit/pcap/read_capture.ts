/**
 * Reads captures in tests: everything that a reader says of them, as plain values.
 *
 * @module
 */
import { CaptureAxis } from "../../../src/pcap/capture_axis.ts";
import type { CapturedPacket, CaptureFault } from "../../../src/pcap/captured_packet.ts";
import { CaptureReader } from "../../../src/pcap/capture_reader.ts";
import { isOutbound, packetComments } from "../../../src/pcap/pcapng_option.ts";

/** What a reader said of a packet. */
export interface ReadPacket {
  /** Nanoseconds of Unix time; undefined where the file gives no valid time. */
  unixNs: bigint | undefined;
  data: Uint8Array;
  originalLength: number;
  linkType: number;
  interfaceNumber: number;
  name: string | undefined;
  interfaceIndex: number;
  comments: string[];
  outbound: boolean;
}

/** What a reader said of a file. */
export interface ReadCapture {
  packets: ReadPacket[];
  fault: CaptureFault | undefined;
  dropped: number;
  /** On the axis of the first packet; see {@linkcode CaptureReader.capturedUntilNs}. */
  capturedUntilNs: number;
}

/** Reads a file that comes in pieces that begin at these offsets. */
export function readCapture(file: Uint8Array, cuts: readonly number[] = []): ReadCapture {
  const axis = new CaptureAxis();
  const packets: ReadPacket[] = [];
  const reader = new CaptureReader(axis, (packet) => packets.push(plainPacket(packet, axis)));
  const bounds = [0, ...cuts, file.length];
  for (let index = 1; index < bounds.length; index++) {
    reader.feed(file.subarray(bounds[index - 1], bounds[index]));
  }
  reader.end();
  const { fault, dropped, capturedUntilNs } = reader;
  return { packets, fault, dropped, capturedUntilNs };
}

function plainPacket(packet: CapturedPacket, axis: CaptureAxis): ReadPacket {
  const { view, start, end, farSeconds, farNs } = packet;
  const isFar = packet.timeNs === Infinity;
  const [epoch, timeNs] = isFar ? [farSeconds, farNs] : [axis.epochSeconds!, packet.timeNs];
  if (!Number.isInteger(timeNs)) throw new Error(`Cannot place a time at ${timeNs}: no integer`);
  return {
    unixNs: packet.timed ? BigInt(epoch) * 1_000_000_000n + BigInt(timeNs) : undefined,
    data: new Uint8Array(view.buffer.slice(start, end)),
    originalLength: packet.originalLength,
    linkType: packet.interface.linkType,
    interfaceNumber: packet.interface.number,
    name: packet.interface.name,
    interfaceIndex: packet.interfaceIndex,
    comments: packetComments(packet),
    outbound: isOutbound(packet),
  };
}

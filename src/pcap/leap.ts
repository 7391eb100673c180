/**
 * Packets whose time is far from those before them, which wait until the next one tells what that means.
 *
 * @module
 */
import { CapturedPacket } from "./captured_packet.ts";
import { beginsHandshake } from "./pcapng_option.ts";

/** Copies a packet, with its bytes and options: it then outlives the buffer that it lies in. */
export function copyCaptured(packet: CapturedPacket): CapturedPacket {
  const { view, start, end, optionsStart, optionsEnd } = packet;
  const from = Math.min(start, optionsStart);
  const to = Math.max(end, optionsEnd);
  // A packet without options may have them anywhere in the buffer, or nowhere.
  const hasOptions = optionsEnd > optionsStart;
  const [first, last] = hasOptions ? [from, to] : [start, end];
  const bytes = new Uint8Array(view.buffer, view.byteOffset + first, last - first).slice();
  return Object.assign(new CapturedPacket(), packet, {
    view: new DataView(bytes.buffer),
    start: start - first,
    end: end - first,
    optionsStart: hasOptions ? optionsStart - first : 0,
    optionsEnd: hasOptions ? optionsEnd - first : 0,
  });
}

/**
 * Whether the time of a packet that waits is wrong: the packet behind it is nearer to what came before.
 *
 * @param newestNs The time that the capture had reached before both, on the axis.
 * @param epochSeconds Where the axis begins.
 */
export function isAbsurd(
  waiting: CapturedPacket,
  next: CapturedPacket,
  newestNs: number,
  epochSeconds: number,
): boolean {
  // In a file that synsnoop wrote the next handshake goes back to its own begin.
  if (!next.timed || beginsHandshake(next)) return false;
  const [waitingNs, nextNs] = [waiting, next].map((packet) => roughNs(packet, epochSeconds));
  return Math.abs(nextNs - newestNs) < Math.abs(nextNs - waitingNs);
}

/** A packet's time on the axis, also where that is too far to be exact. */
function roughNs({ timeNs, farSeconds, farNs }: CapturedPacket, epochSeconds: number): number {
  return timeNs === Infinity ? (farSeconds - epochSeconds) * 1e9 + farNs : timeNs;
}

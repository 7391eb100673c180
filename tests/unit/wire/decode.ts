/**
 * One-call decoding for tests, through a view that refuses reads outside the frame.
 *
 * @module
 */

import {
  decodeFrame,
  decodePacket,
  type FrameVerdict,
  frameVerdictNames,
  LinkType,
} from "../../../src/wire/frame.ts";
import { Segment } from "../../../src/wire/segment.ts";
import { guardedView } from "./guarded_view.ts";

/** Where the frame lies in its buffer: not 0, so that a forgotten offset shows. */
const START = 32;

/** Bytes to decode and how. */
export interface Input {
  bytes: Uint8Array;
  linkType?: number;
  /** Bytes captured, all by default. */
  captured?: number;
  /** By default `bytes.length`. */
  originalLength?: number;
}

/** Decodes a frame, Ethernet by default. */
export function decode(input: Input): { verdict: FrameVerdict; segment: Segment } {
  const { bytes, linkType = LinkType.ETHERNET, captured = bytes.length } = input;
  const segment = new Segment();
  const verdict = decodeFrame(
    guardedView(bytes.subarray(0, captured), START),
    START,
    START + captured,
    input.originalLength ?? bytes.length,
    linkType,
    segment,
  );
  return { verdict, segment };
}

/** Decodes a packet that starts with its network header. */
export function decodeNetwork(
  bytes: Uint8Array,
  protocolHint?: number,
  captured: number = bytes.length,
): { verdict: FrameVerdict; segment: Segment } {
  const segment = new Segment();
  const verdict = decodePacket(
    guardedView(bytes.subarray(0, captured), START),
    START,
    START + captured,
    bytes.length,
    segment,
    protocolHint,
  );
  return { verdict, segment };
}

/** The name of the verdict on a frame. */
export function verdictOf(input: Input): string {
  return frameVerdictNames[decode(input).verdict];
}

/**
 * The verdicts on a frame cut at every length from 0 to whole, runs of equal ones merged: each is
 * `[first length with it, name]`.
 */
export function verdictsByLength(bytes: Uint8Array, linkType?: number): [number, string][] {
  const runs: [number, string][] = [];
  for (let captured = 0; captured <= bytes.length; captured++) {
    const name = verdictOf({ bytes, linkType, captured });
    if (runs.at(-1)?.[1] !== name) runs.push([captured, name]);
  }
  return runs;
}

/// <reference lib="deno.worker" />
/**
 * Seals segments on a thread of its own: what a trace drains waits for nothing.
 *
 * @module
 */
import { messageOf } from "../text/message.ts";
import { seal } from "./seal.ts";

/** What it is asked to seal, see {@linkcode seal}. */
export interface SealRequest {
  path: string;
  sealer: string;
}

/** How it went: why it could not, undefined where it is sealed. */
export interface SealAnswer {
  reason: string | undefined;
}

self.onmessage = async ({ data }: MessageEvent<SealRequest>) => {
  const answer: SealAnswer = { reason: undefined };
  try {
    await seal(data.path, data.sealer);
  } catch (error) {
    answer.reason = messageOf(error);
  }
  self.postMessage(answer);
};

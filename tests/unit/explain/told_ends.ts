/**
 * Both ends of handshakes to explain: of records, and of captures.
 *
 * @module
 */
import { EndTold } from "../../../src/explain/end_told.ts";
import { tellStory } from "../../../src/explain/story.ts";
import type { Handshake } from "../../../src/match/handshake.ts";
import { TcpFlag } from "../../../src/wire/segment.ts";
import { linuxSynOptions } from "../wire/build_frame.ts";
import { type Conversation, type Said, seenPackets } from "./build_conversation.ts";
import { makeHandshake } from "../record/sample_handshakes.ts";

const ENDS = {
  client: { address: "192.0.2.1", port: 40_000, isn: 1_000 },
  server: { address: "198.51.100.2", port: 443, isn: 5_000 },
};
type Parts = Omit<Parameters<typeof makeHandshake>[0], "client" | "server">;

/** An end as the record of a host tells it. */
export function recordedEnd(host: string, parts: Parts): EndTold {
  const handshake = makeHandshake({ wire: true, ...ENDS, ...parts });
  const story = tellStory(handshake, {
    packets: [],
    complete: true,
    recorded: true,
    interfaceName: () => undefined,
  });
  return new EndTold(handshake, () => story, host, true);
}

/** An end as a capture there tells it. */
export function capturedEnd(host: string, parts: Parts, packets: readonly Said[]): EndTold {
  const handshake: Handshake = makeHandshake({ wire: true, ...ENDS, ...parts });
  const conversation: Conversation = { ...ENDS, packets };
  const story = tellStory(handshake, {
    packets: seenPackets(conversation, handshake.timeNs, handshake.place),
    complete: true,
    interfaceName: () => undefined,
  });
  return new EndTold(handshake, () => story, host, false);
}

const { SYN, ACK } = TcpFlag;

/** A SYN of these ends. */
export function makeSyn(atNs: number, timestampValue: number): Said {
  const options = linuxSynOptions({ timestampValue });
  return { atNs, by: "client", flags: SYN, sequence: ENDS.client.isn, options };
}

/** Its answer. */
export function makeSynAck(atNs: number, timestampValue: number): Said {
  const options = linuxSynOptions({ timestampValue });
  const acknowledgment = ENDS.client.isn + 1;
  return {
    atNs,
    by: "server",
    flags: SYN | ACK,
    sequence: ENDS.server.isn,
    acknowledgment,
    options,
  };
}

/** The third packet. */
export function makeAck(atNs: number): Said {
  const [sequence, acknowledgment] = [ENDS.client.isn + 1, ENDS.server.isn + 1];
  return { atNs, by: "client", flags: ACK, sequence, acknowledgment };
}

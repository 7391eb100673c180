import type { Handshake } from "../match/handshake.ts";
import { KeptPackets } from "../pcap/kept_packets.ts";
import { notePassage } from "../pcap/pcapng_option.ts";
import { NO_ROW, type PacketKeeper, type Source } from "../pipeline/sink.ts";
import { decodeFrame, FrameVerdict } from "../wire/frame.ts";
import { Segment } from "../wire/segment.ts";
import { copyPacket, type SeenPacket } from "./seen_packet.ts";
import { type Story, type StoryContext, tellStory } from "./story.ts";

/** Packets kept at the most, of all handshakes under way: 76 MB, touched as they come. */
const KEPT_MAX = 262_144;

/**
 * Tells the stories of handshakes as they come through a pipeline: of their packets, or where they were
 * read from records, of what those say. What a sink needs for that.
 */
export class StoryTeller {
  readonly #keptMax: number;
  readonly #segment = new Segment();
  #kept: KeptPackets | undefined;
  #source: Source | undefined;

  /** @param keptMax Packets kept at a time. */
  constructor(keptMax = KEPT_MAX) {
    this.#keptMax = keptMax;
  }

  /** Takes where they come from; see `Sink.begin`. */
  begin(source: Source): void {
    this.#source = source;
  }

  /** See `Sink.keepPackets`. Reserves the memory. */
  keepPackets(rows: number): PacketKeeper {
    return this.#kept = new KeptPackets(rows, this.#keptMax);
  }

  /**
   * Tells a handshake while a sink takes it; nothing of the object is kept.
   *
   * @param row See `Sink.take`. @param context What is said beyond it, of one that was taken before.
   */
  tell(
    handshake: Handshake,
    row: number,
    context: Source["context"] = this.#source!.context,
  ): Story {
    return tellStory(handshake, {
      ...row === NO_ROW ? { packets: [], complete: true } : this.packetsOf(row),
      recorded: row === NO_ROW,
      ...storyNames(context),
    });
  }

  /** Copies the packets of a handshake while a sink takes it, for who tells it later. */
  packetsOf(row: number): Pick<StoryContext, "packets" | "complete"> {
    const { packets, complete } = this.#kept!.packetsOf(row);
    let isAll = complete;
    const seen = packets.flatMap((packet): SeenPacket[] => {
      const { view, start, end, originalLength, linkType, timeNs, place, direction } = packet;
      const segment = this.#segment;
      const verdict = decodeFrame(view, start, end, originalLength, linkType, segment);
      notePassage(segment, direction);
      if (verdict === FrameVerdict.Tcp) return [copyPacket(segment, view, timeNs, place)];
      // Of an ICMP error the handshake itself tells.
      isAll &&= verdict === FrameVerdict.IcmpError;
      return [];
    });
    return { packets: seen, complete: isAll };
  }
}

/** What a story calls interfaces and containers. */
export function storyNames(
  context: Source["context"],
): Pick<StoryContext, "interfaceName" | "container"> {
  return {
    interfaceName: (place) => context.interfaceName(place),
    container: (cgroup) => {
      const { id, name } = context.container?.(cgroup) ?? {};
      return name ?? id;
    },
  };
}

/**
 * Tells in a capture file which packets with wrong checksums the receiving host throws away, and which
 * only look so because they were captured before the sender's network adapter finished them.
 *
 * @module
 */
import { Checksum, ipChecksum, tcpChecksum } from "./checksum.ts";
import { type Segment, TcpFlag } from "./segment.ts";
import { FrameVerdict } from "./verdict.ts";

const SYN_OR_RST = TcpFlag.SYN | TcpFlag.RST;
const BUCKET_BITS = 12;
/** So that a host's count never wraps. */
const COUNT_MAX = 0xffff;

/**
 * Knows of hosts how their SYNs and SYN-ACKs came: their checksums right, unfinished, or wrong. RSTs do
 * not count, which Linux finishes itself where it leaves all others to the adapter. Fixed in size: of two
 * hosts in a bucket the later is known.
 */
export class ChecksumJudge {
  /** Signed, which is always a small integer to the engine. */
  readonly #tags = new Int32Array(1 << BUCKET_BITS);
  readonly #right = new Uint16Array(1 << BUCKET_BITS);
  readonly #unfinished = new Uint16Array(1 << BUCKET_BITS);
  readonly #wrong = new Uint16Array(1 << BUCKET_BITS);
  readonly #seed: number;

  /** @param seed Makes buckets unpredictable for who wrote the capture. */
  constructor(seed: number = Math.floor(Math.random() * 2 ** 32)) {
    this.#seed = seed;
  }

  /**
   * Judges a packet of a handshake.
   *
   * TCP's checksum of one with data is believed: tools that make captures public replace data,
   * and what a host merged on reception has no checksum of its own. So is a wrong one of a host that
   * sent as many wrong as others, which its adapter finishes or a tool gave another address.
   *
   * @param view The bytes that were decoded.
   * @param segment What was decoded.
   * @param place Where it was captured: a host may leave checksums to one adapter and not to another.
   * @returns `Tcp`, or which checksum is wrong.
   */
  judge(view: DataView, segment: Segment, place: number): FrameVerdict {
    const ofIp = ipChecksum(view, segment);
    const ofTcp = segment.payloadLength > 0 ? Checksum.UNKNOWN : tcpChecksum(view, segment);
    const isWrong = ofIp === Checksum.WRONG || ofTcp === Checksum.WRONG;
    const bucket = this.#bucketOf(segment, place);
    const right = this.#right[bucket];
    const unfinished = this.#unfinished[bucket];
    const wrong = this.#wrong[bucket];
    const isFinished = ofIp === Checksum.RIGHT && ofTcp === Checksum.RIGHT;
    if ((segment.flags & SYN_OR_RST) === TcpFlag.SYN && ofTcp !== Checksum.UNKNOWN) {
      const counts = isWrong ? this.#wrong : isFinished ? this.#right : this.#unfinished;
      if (counts[bucket] < COUNT_MAX) counts[bucket]++;
    }
    // A host that finishes its checksums itself leaves none unfinished.
    const isThrownAway = isWrong
      ? right + unfinished > wrong
      : ofTcp === Checksum.UNFINISHED && right > 0 && unfinished === 0;
    if (!isThrownAway) return FrameVerdict.Tcp;
    return ofIp === Checksum.WRONG ? FrameVerdict.BadIpChecksum : FrameVerdict.BadTcpChecksum;
  }

  #bucketOf({ source, ipVersion }: Segment, place: number): number {
    let tag = place ^ this.#seed;
    // Of IPv4 the first three words are always the same.
    for (let index = ipVersion === 4 ? 3 : 0; index < 4; index++) {
      tag = Math.imul(tag ^ source[index], 0x9e3779b1);
      tag ^= tag >>> 15;
    }
    const bucket = tag >>> (32 - BUCKET_BITS);
    if (this.#tags[bucket] !== tag) {
      this.#tags[bucket] = tag;
      this.#right[bucket] = this.#unfinished[bucket] = this.#wrong[bucket] = 0;
    }
    return bucket;
  }
}

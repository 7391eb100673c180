/**
 * Random traffic of several handshakes on few tuples: each goes on step by step or does something
 * else, while time passes.
 *
 * @module
 */

import fc from "fast-check";
import type { KernelAccept } from "../../../src/kernel/kernel_record.ts";
import { Passage } from "../../../src/wire/passage.ts";
import { TcpFlag } from "../../../src/wire/segment.ts";
import {
  type End,
  end,
  type Event,
  type HalfFields,
  type Icmp,
  type Packet,
  Play,
  plus,
} from "./traffic.ts";

/** Tuples: IPv4, its reverse (simultaneous open), IPv6, a connection of a port to itself. */
const CLIENT = end("192.0.2.1", 50000);
const SERVER = end("198.51.100.2", 443);
const LOOPED = end("127.0.0.1", 7777);
const TUPLES = [
  [CLIENT, SERVER],
  [SERVER, CLIENT],
  [end("2001:db8::1", 65535), end("2001:db8::2", 1)],
  [LOOPED, LOOPED],
] as const;

/** No two of these are so near that a wrong Ack of one attempt is a right one of another. */
const CLIENT_NUMBERS = [1, 2000, 0x7fffffff, 0x80000001, 0xfffffff0, 0xffffffff];
const SERVER_NUMBERS = [0, 1, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff];

const clientEnds: readonly HalfFields[] = [
  {},
  { connectNs: 0, synSentNs: 9, rttMinUs: 10240 },
  { synSentNs: 90e9, newState: 7, error: 110 },
  { rttMinUs: 11000, retransmits: 1, oldState: 3 },
  { options: { synData: true, windowScale: true, ownWindowScale: 7, peerWindowScale: 13 } },
  { newState: 7, error: 111 },
  { newState: 7, error: 110, retransmits: 6 },
  { newState: 7, error: 113, pid: 0 },
  { newState: 7, error: 0 },
  { newState: 7, error: 101, localPort: 0, iss: 0 },
];
const serverEnds: readonly HalfFields[] = [
  {},
  { rttMinUs: 64 },
  { rttMinUs: 1000, synReceivedNs: 0 },
  { options: { sackPermitted: true, timestamps: true, windowScale: true, peerWindowScale: 2 } },
  { newState: 7 },
  { synReceivedNs: 5, synCookie: true, rttMinUs: 64 },
  { synReceivedNs: 5, synCookie: false, rttMinUs: 1000 },
  { synReceivedNs: 5, synCookie: false, rttMinUs: 1000, retransmits: 1 },
];

const accepts: readonly Partial<KernelAccept>[] = [{}, { pid: 0, comm: "" }, { netns: 7 }];
/** Who answers a SYN with an ICMP error, and how. */
const icmps: readonly Partial<Icmp>[] = [
  {},
  { reporter: end("203.0.113.9", 0).address, code: 3 },
  { code: 3 },
  { code: 4 },
  { type: 11, code: 0, reporter: end("203.0.113.9", 0).address },
  { isIpv6: true, type: 1, code: 0 },
  { type: 5 },
];
const resetReasons = ["NO_SOCKET", "TCP_INVALID_SYN"];

const STEPS = [
  "synAgain",
  "synAckAgain",
  "synAckOtherIsn",
  "synAckWrong",
  "data",
  "early",
  "serverData",
  "serverAck",
  "serverElsewhere",
  "ackOther",
  "ackWrongSequence",
  "ackWrongAck",
  "ackBothWrong",
  "noAckFlag",
  "refusal",
  "refusalWrong",
  "serverReset",
  "clientReset",
  "clientKernel",
  "serverKernel",
  "accept",
  "synDrop",
  "queueDrop",
  "synAckDrop",
  "synAckDropWrong",
  "dropOther",
  "synReset",
  "ackReset",
  "synAckReset",
  "icmp",
  "advance",
] as const;
type Step = typeof STEPS[number] | "next";

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 16, arbitrary: fc.constant<Step>("next") },
  { weight: 2, arbitrary: fc.constant<Step>("advance") },
  { weight: 14, arbitrary: fc.constantFrom(...STEPS) },
);

const handshake = fc.record({
  tuple: fc.nat(TUPLES.length - 1),
  x: fc.constantFrom(...CLIENT_NUMBERS),
  y: fc.constantFrom(...SERVER_NUMBERS),
  synData: fc.constantFrom(0, 0, 0, 1, 100),
  synAckData: fc.constantFrom(0, 0, 0, 10),
  fastOpen: fc.constantFrom(undefined, undefined, undefined, 0, 8),
  window: fc.constantFrom(0, 100, 64240),
  serverWindow: fc.constantFrom(0, 2999, 3000, 65535),
  vlan: fc.constantFrom(undefined, undefined, 0, 7, 8),
  synEcn: fc.constantFrom(0, 0xc0, 0x1c0),
  synAckEcn: fc.constantFrom(0, 0x40, 0x80, 0x1c0),
});

const event = fc.record({
  who: fc.nat(3),
  step,
  /** Time since the event before. */
  delayNs: fc.constantFrom(0, 1, 1e3, 3e5, 10e6, 39_999_999, 40e6, 1e9, 31e9, 60e9),
  /** What else there is to choose of the step. */
  variant: fc.nat(63),
  /** How much later another tap's copy of the packet comes, in another VLAN; undefined: none does. */
  copyNs: fc.constantFrom(undefined, undefined, undefined, 0, 16e3, 100e6, 100_000_001),
  /** How both passed by, where no identification tells them from others. */
  passages: fc.constantFrom(undefined, undefined, [0, 0], [1, 1], [2, 2], [1, 2], [0, 1]),
});

/**
 * The timestamps option, of all handshakes of a trace alike: who sends it, its clock's tick, and whose
 * options the capture cuts off before it.
 */
const timestamps = fc.record({
  client: fc.boolean(),
  server: fc.boolean(),
  tickNs: fc.constantFrom(1e6, 1e9),
  cut: fc.constantFrom("", "", "", "", "syn", "synAck"),
});

/**
 * How packets come by: at one place, at one a direction, at one a handshake, or at two each, of which some do not reach
 * the second.
 */
const place = fc.constantFrom("one", "one a direction", "one a flow", "two", "two, lossy");

/**
 * Which ends a host on the way translates: what it sends on to the second place has other addresses,
 * and so has what the server's kernel tells.
 */
const translation = fc.constantFrom<("client" | "server")[]>([], [], ["client"], ["server"], [
  "client",
  "server",
]);

/** One random trace. */
export interface Trace {
  events: Event[];
  /** Whether the matcher is told that it sees what servers send, and what the kernel takes. */
  seesServerData: boolean;
  isTraced: boolean;
  capacity: number;
  rememberNs: number;
}

type Handshake = typeof handshake extends fc.Arbitrary<infer T> ? T : never;
type Timestamps = typeof timestamps extends fc.Arbitrary<infer T> ? T : never;
type Choice = typeof event extends fc.Arbitrary<infer T> ? T : never;

/** A trace of up to four handshakes. */
export const arbitraryTrace: fc.Arbitrary<Trace> = fc.record({
  handshakes: fc.array(handshake, { minLength: 1, maxLength: 4 }),
  simultaneous: fc.constantFrom(false, false, false, true),
  /** Whether all have one number and one window, as those of a packet generator. */
  isGenerated: fc.constantFrom(false, false, true),
  choices: fc.array(event, { maxLength: 24, size: "max" }),
  timestamps,
  place,
  translation,
  capacity: fc.constantFrom(1, 2, 3, 64, 64, 64),
  rememberNs: fc.constantFrom(0, 60e9),
  seesServerData: fc.boolean(),
  isTraced: fc.boolean(),
}).map(({ simultaneous, isGenerated, choices, timestamps, place, ...more }) => {
  const { capacity, rememberNs, ...trace } = more;
  const [first] = trace.handshakes;
  const generated = trace.handshakes.map((each) => {
    const { x, window, synData, fastOpen } = first;
    return { ...each, x, window, synData, fastOpen };
  });
  // The server of the first sends a SYN too, with the number of its SYN-ACK.
  const y = first.y || 3;
  const tuple = first.tuple % 2;
  const mirrored = { ...first, tuple: 1 - tuple, x: y, y: first.x };
  const handshakes = simultaneous
    ? [{ ...first, tuple, y }, mirrored]
    : isGenerated
    ? generated
    : trace.handshakes;
  // Where a packet is seen twice, what is forgotten in between makes two of it: not of interest.
  const twice = place.startsWith("two");
  return {
    events: play(
      handshakes.map((handshake) => new Player(handshake, timestamps)),
      choices,
      place,
      simultaneous ? [] : trace.translation,
    ),
    seesServerData: trace.seesServerData,
    isTraced: trace.isTraced,
    capacity: twice ? 64 : capacity,
    // Nor is what is still known of one that had to give up its row.
    rememberNs: twice ? 1e15 : capacity < 64 ? -1e15 : rememberNs,
  };
});

/** One handshake under way. */
class Player {
  play: Play;
  #behind: Player | undefined;
  #next = 0;
  /** What the last packets of each side carried as their timestamp. */
  #clientTimestamps: number[] = [0];
  #serverTimestamps: number[] = [0];

  constructor(readonly handshake: Handshake, readonly timestamps: Timestamps) {
    const [client, server] = TUPLES[handshake.tuple];
    this.play = new Play(client, server, handshake.x, handshake.y);
  }

  /** The same handshake as it is seen behind a translation. */
  behind(translation: readonly ("client" | "server")[]): Player {
    if (translation.length === 0) return this;
    if (this.#behind === undefined) {
      this.#behind = new Player(this.handshake, this.timestamps);
      const { client, server, x, y } = this.play;
      this.#behind.play = new Play(
        translation.includes("client") ? translate(client) : client,
        translation.includes("server") ? translate(server) : server,
        x,
        y,
      );
    }
    return this.#behind;
  }

  /** The handshake's own steps in their order. */
  nextStep(): Step {
    const order: Step[] = ["synAgain", "synAckAgain", "data", "clientKernel", "serverKernel"];
    return order[this.#next++ % order.length];
  }

  get begun(): boolean {
    return this.#clientTimestamps.length > 1;
  }

  event(step: Step, timeNs: number, variant: number): Event | undefined {
    const { play, handshake } = this;
    const { x, y } = play;
    const [even, second] = [variant % 2 === 0, variant % 4 < 2];
    switch (step) {
      case "next":
        return this.event(this.nextStep(), timeNs, variant);
      case "synAgain":
        return play.syn(timeNs, this.#syn(timeNs));
      case "synAckAgain":
        return play.synAck(timeNs, {
          ...this.#synAck(timeNs, variant),
          acknowledgment: plus(x, 1 + (even ? handshake.synData : 0)),
        });
      case "synAckOtherIsn":
        return play.synAck(timeNs, {
          ...this.#synAck(timeNs, variant),
          sequence: plus(y, 70_000_000),
        });
      case "synAckWrong":
        return play.synAck(timeNs, {
          ...this.#synAck(timeNs, variant),
          acknowledgment: plus(x, even ? 0 : 5000),
        });
      case "data":
        return play.ack(timeNs, {
          ...this.#ack(timeNs, variant),
          sequence: plus(x, 1 + (even ? handshake.synData : 0)),
          acknowledgment: plus(y, variant === 5 ? 500 : 1),
          payloadLength: second ? 0 : 100,
          flags: TcpFlag.ACK | (variant === 7 ? TcpFlag.FIN : 0),
        });
      case "early":
        return play.ack(timeNs, {
          ...this.#ack(timeNs, variant),
          acknowledgment: plus(y, 1 + this.handshake.synAckData + (even ? 100 : 0)),
        });
      case "serverData":
        return play.fromServer(timeNs, {
          sequence: plus(y, second ? 1 : 101),
          payloadLength: 100,
          flags: TcpFlag.ACK | (even ? TcpFlag.FIN : 0),
        });
      case "serverAck":
        return play.fromServer(timeNs, {
          acknowledgment: plus(x, 1 + handshake.synData + (even ? 50 : 0)),
        });
      case "serverElsewhere":
        return play.fromServer(timeNs, {
          sequence: plus(y, even ? 70_000_001 : 0),
          acknowledgment: plus(x, second ? 50 : 1 << 21),
          payloadLength: 7,
        });
      case "ackOther":
        return play.ack(timeNs, {
          ...this.#ack(timeNs, variant),
          acknowledgment: plus(y, 70_000_001),
        });
      case "ackWrongSequence":
        return play.ack(timeNs, {
          sequence: plus(x, even ? 0 : 3001),
          payloadLength: variant % 3,
          flags: variant % 5 === 0 ? TcpFlag.ACK | TcpFlag.FIN : TcpFlag.ACK,
        });
      case "ackWrongAck":
        return play.ack(timeNs, { acknowledgment: plus(y, even ? 0 : 1 + (1 << 20)) });
      case "ackBothWrong":
        return play.ack(timeNs, { sequence: plus(x, 3000), acknowledgment: y });
      case "noAckFlag":
        return play.ack(timeNs, { flags: even ? 0 : TcpFlag.FIN | TcpFlag.PSH });
      case "refusal":
        return play.refusal(timeNs);
      case "refusalWrong":
        return play.refusal(timeNs, even ? { acknowledgment: x } : { flags: TcpFlag.RST });
      case "serverReset":
        return play.serverReset(
          timeNs,
          second ? {} : {
            sequence: plus(y, even ? 70_000_001 : 101),
          },
        );
      case "clientReset":
        return play.clientReset(timeNs, even ? {} : { sequence: plus(x, 7000) });
      case "clientKernel":
        return play.clientKernel(timeNs - variant * 1000, clientEnds[variant % clientEnds.length]);
      case "serverKernel":
        return play.serverKernel(timeNs - variant * 1000, serverEnds[variant % serverEnds.length]);
      case "accept":
        return play.accept(timeNs - variant * 1000, accepts[variant % accepts.length]);
      case "synDrop":
        return play.synDrop(timeNs - variant * 1000, {
          reason: second ? "NO_SOCKET" : "NETFILTER_DROP",
        });
      case "queueDrop":
        return play.queueDrop(timeNs - variant * 1000);
      case "synAckDrop":
        return play.synAckDrop(timeNs - variant * 1000, {
          acknowledgment: plus(x, 1 + (even ? handshake.synData : 0)),
          reason: second ? "SOCKET_FILTER" : "NETFILTER_DROP",
        });
      case "synAckDropWrong":
        return play.synAckDrop(timeNs, { acknowledgment: plus(x, even ? 0 : 5000) });
      case "dropOther":
        return play.synDrop(timeNs, { flags: even ? TcpFlag.ACK : TcpFlag.SYN | TcpFlag.RST });
      case "synReset":
        return play.synReset(timeNs, { reason: resetReasons[variant % 2] });
      case "ackReset":
        return play.ackReset(timeNs, {
          sequence: plus(x, 1 + (even ? handshake.synData : 0)),
          acknowledgment: plus(y, second ? 1 : 900),
        });
      case "synAckReset":
        return play.synAckReset(timeNs, {
          acknowledgment: plus(x, 1 + (even ? handshake.synData : 0)),
        });
      case "icmp": {
        const quoted = even ? {} : { sequence: plus(x, second ? 1 : 0), flags: 0 };
        return play.icmp(timeNs, icmps[variant % icmps.length], quoted);
      }
      case "advance":
        return { completeNs: timeNs };
    }
  }

  #syn(timeNs: number): Partial<Packet> {
    const { synData, fastOpen, synEcn } = this.handshake;
    const value = Math.floor(timeNs / this.timestamps.tickNs);
    this.#clientTimestamps.push(value);
    return {
      flags: TcpFlag.SYN | synEcn,
      payloadLength: synData,
      fastOpenCookieLength: fastOpen,
      window: this.handshake.window,
      vlan: this.handshake.vlan,
      mss: 1460,
      windowScale: synData > 0 ? undefined : 7,
      sackPermitted: synEcn === 0,
      timestamps: this.timestamps.client ? [value, 0] : undefined,
      mptcpSubtype: synEcn === 0xc0 ? 0 : undefined,
      ...(this.timestamps.cut === "syn" &&
        { optionsCut: true, windowScale: undefined, sackPermitted: false, timestamps: undefined }),
    };
  }

  #synAck(timeNs: number, variant: number): Partial<Packet> {
    const value = Math.floor(timeNs / this.timestamps.tickNs) + 1000;
    this.#serverTimestamps.push(value);
    const echo = this.#clientTimestamps[variant % this.#clientTimestamps.length];
    return {
      flags: TcpFlag.SYN | TcpFlag.ACK | this.handshake.synAckEcn,
      window: this.handshake.serverWindow,
      vlan: this.handshake.vlan,
      payloadLength: this.handshake.synAckData,
      mss: 1400,
      sackPermitted: true,
      timestamps: this.timestamps.server ? [value, echo] : undefined,
      ...(this.timestamps.cut === "synAck" &&
        { optionsCut: true, sackPermitted: false, timestamps: undefined }),
    };
  }

  #ack(timeNs: number, variant: number): Partial<Packet> {
    const value = Math.floor(timeNs / this.timestamps.tickNs);
    const echo = this.#serverTimestamps[variant % this.#serverTimestamps.length];
    return {
      vlan: this.handshake.vlan,
      timestamps: this.timestamps.client ? [value, echo] : undefined,
    };
  }
}

/** What the clock shows when a trace begins. */
const START_NS = 100e9;

/** The steps that the server's kernel tells of. */
const SERVER_STEPS: ReadonlySet<Step> = new Set([
  "serverKernel",
  "accept",
  "synDrop",
  "queueDrop",
  "synReset",
  "ackReset",
]);

/** What an end becomes by the translation: of each one another. */
function translate({ address, port }: End): End {
  const words = address.slice();
  words[3] = (words[3] ^ 0x01010101) >>> 0;
  return { address: words, port: port ^ 0x100 };
}

function play(
  players: readonly Player[],
  choices: readonly Choice[],
  place: string,
  translation: readonly ("client" | "server")[],
): Event[] {
  const events: Event[] = [];
  const halves = new Set<string>();
  let nowNs = START_NS;
  let identification = 0;
  for (const { who, step, delayNs, variant, copyNs, passages } of choices) {
    nowNs += delayNs;
    identification++;
    const player = players[who % players.length];
    // Of interest where each packet is seen twice is a capture that sees the SYN first.
    const twice = place.startsWith("two");
    const isTold = translation.length > 0 && (step === "clientKernel" || step === "serverKernel");
    const chosen = twice && !player.begun && !isTold ? "synAgain" : step;
    const { client } = player.play;
    const far = player.behind(translation);
    const event = (SERVER_STEPS.has(chosen) ? far : player).event(chosen, nowNs, variant);
    if (event === undefined) continue;
    if (twice && "record" in event) {
      // Nor a kernel that tells the same twice, which begins a second record.
      const { kind } = event.record;
      const key = `${kind} ${player.play.x} ${player.handshake.tuple}`;
      if (halves.has(key)) continue;
      halves.add(key);
    }
    if ("packet" in event && variant % 3 === 0) {
      Object.assign(event.packet, { identification, checksum: 0 });
    }
    if (!("packet" in event) || place === "one") {
      events.push(event);
      if (!("packet" in event) || copyNs === undefined) continue;
      const [passage, again] = passages ?? [0, 0];
      Object.assign(event.packet, {
        identification: passages ? 0 : identification,
        checksum: identification,
        passage,
      });
      nowNs += copyNs;
      const vlan = event.packet.vlan && event.packet.vlan + 100;
      events.push({ ...event, packet: { ...event.packet, vlan, passage: again }, timeNs: nowNs });
      continue;
    }
    const isClients = event.packet.from === client;
    const passing = [{ ...event, place: 1 }, {
      ...event,
      packet: {
        ...event.packet,
        from: isClients ? far.play.client : far.play.server,
        to: isClients ? far.play.server : far.play.client,
      },
      place: 2,
    }];
    const [first, second] = isClients || !twice ? passing : passing.toReversed();
    if (!twice) {
      const isOther = place === "one a flow" ? who % 2 === 1 : !isClients;
      events.push({ ...event, place: isOther ? 2 : 1 });
      continue;
    }
    if (passages !== undefined) {
      // Every packet of one number has the same bytes: it came in at one place and left at the other.
      const bytes = { identification: 0, checksum: event.packet.sequence & 0xff };
      first.packet = { ...first.packet, ...bytes, passage: Passage.RECEIVED };
      second.packet = { ...second.packet, ...bytes, passage: Passage.SENT };
    }
    events.push(first);
    if (!(place === "two, lossy" && variant % 8 === 3)) {
      nowNs += 7;
      events.push({ ...second, timeNs: nowNs });
    }
  }
  return events;
}

/**
 * Clients and servers that do what RFC 9293 and Linux say, over a way that loses and delays packets, with the truth
 * beside what passes two places on the way.
 *
 * @module
 */
import { end, type Event, type Packet, Play, plus } from "./traffic.ts";

const SECOND = 1e9;
const MS = 1e6;

/** Random numbers from a seed: a failure can be played again. */
export class Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = seed ^ 0x9e3779b9;
  }

  /** A whole number below another. */
  below(limit: number): number {
    // xorshift32 (Marsaglia), of which the high part is used.
    let x = this.#state || 1;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return Math.floor((x >>> 0) / 2 ** 32 * limit);
  }

  of<T>(...choices: readonly T[]): T {
    return choices[this.below(choices.length)];
  }

  is(percent: number): boolean {
    return this.below(100) < percent;
  }
}

/** A packet that was sent, when it passed each place, and what it is in answer to. */
export interface Sent {
  kind: "syn" | "synAck" | "ack" | "rst" | "data";
  packet: Packet;
  passedNs: (number | undefined)[];
  answers?: Sent;
}

/** One connection: what its ends did. */
export interface Connection {
  play: Play;
  server: Server;
  sent: Sent[];
  clientEstablished: boolean;
  serverEstablished: boolean;
}

/** How servers take SYNs. */
export type Server = "listens" | "refuses" | "is silent" | "makes cookies";

/** What may go wrong. */
export interface Way {
  lossPercent: number;
  jitterNs: number;
}

/** Plays connections one after another, or at once. */
export class Simulation {
  readonly connections: Connection[] = [];
  events: { timeNs: number; place: number; packet: Packet }[] = [];
  #nowNs = 0;
  readonly #due: { timeNs: number; order: number; happen: () => void }[] = [];
  #order = 0;
  #identification = 0;

  constructor(readonly chance: Chance, readonly way: Way) {}

  at(timeNs: number, happen: () => void): void {
    this.#due.push({ timeNs, order: this.#order++, happen });
  }

  after(delayNs: number, happen: () => void): void {
    this.at(this.#nowNs + delayNs, happen);
  }

  get nowNs(): number {
    return this.#nowNs;
  }

  run(): void {
    while (this.#due.length > 0) {
      this.#due.sort((a, b) => a.timeNs - b.timeNs || a.order - b.order);
      const { timeNs, happen } = this.#due.shift()!;
      this.#nowNs = timeNs;
      happen();
    }
  }

  /** Sends a packet past both places. @param arrives What happens where it comes to. */
  send(isClients: boolean, sent: Sent, hasNumber: boolean, arrives: () => void): void {
    const { packet } = sent;
    packet.identification = hasNumber ? ++this.#identification : 0;
    packet.checksum ??= ++this.#identification;
    const places = isClients ? [1, 2] : [2, 1];
    let timeNs = this.#nowNs;
    for (const place of places) {
      if (this.chance.is(this.way.lossPercent)) return;
      timeNs += 1000 + this.chance.below(this.way.jitterNs);
      sent.passedNs[place] = timeNs;
      this.events.push({ timeNs, place, packet });
    }
    if (this.chance.is(this.way.lossPercent)) return;
    this.at(timeNs + 1000 + this.chance.below(this.way.jitterNs), arrives);
  }

  connect(port: number, x: number, startNs: number): void {
    const { chance } = this;
    const play = new Play(
      end("192.0.2.1", port),
      end("198.51.100.2", 443),
      x,
      chance.below(2 ** 32),
    );
    const server = chance.of<Server>(
      "listens",
      "listens",
      "listens",
      "makes cookies",
      "refuses",
      "is silent",
    );
    const connection = {
      play,
      server,
      sent: [],
      clientEstablished: false,
      serverEstablished: false,
    };
    this.connections.push(connection);
    this.at(startNs, () => new Ends(this, connection, server).connect());
  }
}

/** Both ends of a connection. */
class Ends {
  readonly #hasNumber: boolean;
  readonly #hasTimestamps: boolean;
  readonly #retries: number;
  readonly #gap: number;
  #client: "SYN-SENT" | "ESTABLISHED" | "CLOSED" = "SYN-SENT";
  #server: "LISTEN" | "SYN-RECEIVED" | "ESTABLISHED" | "CLOSED" = "LISTEN";
  /** The number that the client took, what it echoes, and how far its data are acknowledged. */
  #y = 0;
  #clientEcho = 0;
  #isDataTaken = false;
  /** What the server echoes, and the numbers that it gave. */
  #serverEcho = 0;
  #took: Sent | undefined;
  readonly #given: number[] = [];

  constructor(
    readonly simulation: Simulation,
    readonly connection: Connection,
    readonly mode: Server,
  ) {
    const { chance } = simulation;
    this.#hasNumber = chance.is(70);
    this.#hasTimestamps = chance.is(70);
    this.#retries = chance.below(4);
    this.#gap = chance.of(0, 0, 200 * MS, 2 * SECOND);
  }

  connect(): void {
    this.#sendSyn(0);
  }

  #timestamps(echo: number): [number, number] | undefined {
    return this.#hasTimestamps ? [Math.floor(this.simulation.nowNs / MS) + 1000, echo] : undefined;
  }

  #send(
    isClients: boolean,
    kind: Sent["kind"],
    event: Event,
    answers: Sent | undefined,
    arrives: (sent: Sent) => void,
  ): void {
    const { packet } = event as { packet: Packet };
    const sent: Sent = { kind, packet, passedNs: [], answers };
    this.connection.sent.push(sent);
    this.simulation.send(isClients, sent, this.#hasNumber, () => arrives(sent));
  }

  #sendSyn(count: number): void {
    if (this.#client !== "SYN-SENT") return;
    const { play } = this.connection;
    // Who gets no answer may try without options.
    const hasOptions = count < 2;
    const timestamps = hasOptions ? this.#timestamps(0) : undefined;
    const options = hasOptions
      ? { mss: 1460, windowScale: 7, sackPermitted: true, timestamps }
      : {};
    const syn = play.syn(0, { window: 64240, ...options });
    this.#send(true, "syn", syn, undefined, (sent) => this.#takeSyn(sent));
    const waitNs = SECOND * 2 ** count;
    if (count < this.#retries) this.simulation.after(waitNs, () => this.#sendSyn(count + 1));
    else {
      this.simulation.after(waitNs, () => {
        if (this.#client === "SYN-SENT") this.#client = "CLOSED";
      });
    }
  }

  #takeSyn(syn: Sent): void {
    const { play } = this.connection;
    if (this.mode === "is silent") return;
    if (this.mode === "refuses") {
      return this.#send(false, "rst", play.refusal(0), syn, () => this.#takeRefusal());
    }
    if (this.mode === "makes cookies") {
      this.#serverEcho = syn.packet.timestamps?.[0] ?? 0;
      if (this.#server === "ESTABLISHED") return;
      const number = this.simulation.chance.is(50)
        ? play.y
        : plus(play.y, this.#given.length * 1e6);
      if (!this.#given.includes(number)) this.#given.push(number);
      return this.#sendSynAck(syn, number);
    }
    if (this.#server === "LISTEN") {
      this.#server = "SYN-RECEIVED";
      this.#serverEcho = syn.packet.timestamps?.[0] ?? 0;
      this.#took = syn;
      this.#given.push(play.y);
      this.#sendSynAckAgain(0);
    } else if (this.#server === "SYN-RECEIVED") this.#sendSynAck(syn, play.y);
  }

  #sendSynAckAgain(count: number): void {
    if (this.#server !== "SYN-RECEIVED") return;
    this.#sendSynAck(this.#took!, this.connection.play.y);
    const waitNs = SECOND * 2 ** count;
    this.simulation.after(waitNs, () => {
      if (count < 3) this.#sendSynAckAgain(count + 1);
      else if (this.#server === "SYN-RECEIVED") this.#server = "CLOSED";
    });
  }

  #sendSynAck(syn: Sent, sequence: number): void {
    const timestamps = syn.packet.timestamps && this.#timestamps(this.#serverEcho);
    const event = this.connection.play.synAck(0, {
      sequence,
      window: 65160,
      mss: 1400,
      timestamps,
    });
    this.#send(false, "synAck", event, syn, (sent) => this.#takeSynAck(sent));
  }

  #takeSynAck(synAck: Sent): void {
    const { sequence, timestamps } = synAck.packet;
    if (this.#client === "CLOSED") {
      // Who gave up answers with a RST (RFC 9293 section 3.10.7.1).
      const reset = this.connection.play.clientReset(0);
      return this.#send(true, "rst", reset, synAck, () => this.#takeReset());
    }
    if (this.#client === "SYN-SENT") {
      this.#client = "ESTABLISHED";
      this.connection.clientEstablished = true;
      this.#y = sequence;
      this.#clientEcho = timestamps?.[0] ?? 0;
      if (this.simulation.chance.is(60)) {
        this.simulation.after(1 + this.#gap, () => this.#sendData(synAck, 0));
      }
    }
    this.#sendAck(synAck);
  }

  #ofClient(fields: Partial<Packet> = {}): Event {
    const echo = this.#clientEcho;
    const timestamps = echo === 0 ? undefined : this.#timestamps(echo);
    return this.connection.play.ack(0, { acknowledgment: plus(this.#y, 1), timestamps, ...fields });
  }

  #sendAck(synAck: Sent): void {
    this.#send(true, "ack", this.#ofClient(), synAck, (sent) => this.#takeAck(sent));
  }

  /** Data acknowledge the SYN-ACK too: where they overtake the ACK they are the third packet. */
  #sendData(synAck: Sent, count: number): void {
    if (this.#client !== "ESTABLISHED" || this.#isDataTaken || count > 3) return;
    this.#send(true, "data", this.#ofClient({ payloadLength: 100 }), synAck, (sent) => {
      this.#takeAck(sent);
    });
    this.simulation.after(SECOND * 2 ** count, () => this.#sendData(synAck, count + 1));
  }

  #takeAck({ kind, packet }: Sent): void {
    const { chance } = this.simulation;
    const isGiven = this.#given.some((number) => plus(number, 1) === packet.acknowledgment);
    const canComplete = this.#server === "SYN-RECEIVED" ||
      this.mode === "makes cookies" && this.#server === "LISTEN";
    if (canComplete && isGiven) {
      this.#server = "ESTABLISHED";
      this.connection.serverEstablished = true;
      if (chance.is(30)) this.#sendServerData();
    } else if (this.#server !== "ESTABLISHED") {
      const { play } = this.connection;
      const reset = play.serverReset(0, { sequence: packet.acknowledgment });
      return this.#send(false, "rst", reset, undefined, () => this.#takeReset());
    }
    if (kind !== "data" || this.#server !== "ESTABLISHED") return;
    const taken = this.connection.play.fromServer(0, {
      sequence: packet.acknowledgment,
      acknowledgment: plus(this.connection.play.x, 101),
    });
    this.#send(false, "data", taken, undefined, () => this.#isDataTaken = true);
  }

  #sendServerData(): void {
    const sequence = plus(this.#y, 1);
    const data = this.connection.play.fromServer(0, { sequence, payloadLength: 50 });
    this.#send(false, "data", data, undefined, () => {
      const acknowledgment = plus(this.#y, 51);
      const ack = this.#ofClient({ acknowledgment });
      if (this.#client === "ESTABLISHED") this.#send(true, "data", ack, undefined, () => {});
    });
  }

  #takeRefusal(): void {
    if (this.#client === "SYN-SENT") this.#client = "CLOSED";
  }

  #takeReset(): void {
    this.#client = "CLOSED";
    if (this.#server === "SYN-RECEIVED") this.#server = "CLOSED";
  }
}

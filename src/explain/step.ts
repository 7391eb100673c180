import type { SeenPacket } from "./seen_packet.ts";

/** An end of a handshake: its column of the ladder. */
export type End = "client" | "server";

/** What a packet is in the handshake, by its flags. */
export type Part = "SYN" | "SYN-ACK" | "ACK" | "RST";

/** How a step stands out: sent again, or not fitting, refusing or dropped. */
export type Tone = "usual" | "repeated" | "bad";

/** A packet on the ladder: an arrow. All texts are safe to print. */
export interface Arrow {
  /** Counts the packets from 1 on. */
  number: number;
  /** When it was captured, nanoseconds after the handshake's time; undefined where that is not known. */
  timeNs: number | undefined;
  /** In a story of both ends: when the server's host had it, by its clock, after the first it had. */
  serverNs?: number;
  /** In a story of both ends: whether one end sent it and it never came to the other. */
  isLost?: boolean;
  /** Who sent it. */
  from: End;
  part: Part;
  tone: Tone;
  /** Its flags and numbers: `[SYN, ACK] Seq=0xc112f693 (0) Ack=0x4ce45751 (1)`. */
  label: string;
  /** What else there is to say of it, a sentence each. */
  remarks: string[];
  /** Whether it is one of this handshake: neither another one's nor damaged. */
  fits: boolean;
}

/** A packet of which a record tells, and which is not at hand. */
export interface ToldStep extends Arrow {
  kind: "told";
}

/** A packet that was captured. */
export interface PacketStep extends Arrow {
  kind: "packet";
  /** The packet itself. */
  packet: SeenPacket;
  /** Whether its Seq goes on where its sender stood, where that is to be known. */
  seqFits: boolean;
  /** Whether its Ack is what was sent before, where that is to be known. */
  ackFits: boolean;
}

/** Something that the kernel of this host told, on the ladder. */
export interface KernelStep {
  kind: "kernel";
  /** When, nanoseconds after the handshake's time; undefined where that is not known. */
  timeNs: number | undefined;
  /** As of an arrow. */
  serverNs?: number;
  /** At which end; undefined where that is not known. */
  at: End | undefined;
  tone: Tone;
  /** What happened. */
  text: string;
}

/** A line of the ladder. */
export type Step = PacketStep | ToldStep | KernelStep;

/** The name of a packet that a sentence points to: `SYN (packet 1)`. */
export function nameStep({ part, number }: Arrow): string {
  return `${part} (packet ${number})`;
}

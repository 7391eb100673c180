import type { Handshake } from "../../match/handshake.ts";
import { type Ladder, layLadder } from "../../explain/ladder.ts";
import { formatExact } from "../../explain/numbers.ts";
import type { Relation } from "../../explain/relations.ts";
import type { Fact, Story } from "../../explain/story.ts";
import { escapeText } from "../../text/escape.ts";
import type { ClockTime } from "./clock_gaps.ts";

/** What one host tells of a handshake; every text is safe to print but the host's name. */
export interface HandshakeView {
  /** Name of the host: untrusted text. */
  host: string;
  /** When it began, by the clock of that host. */
  time: ClockTime;
  /** Who tells it, and as what: `web1, the client`. */
  teller: string;
  title: string;
  facts: Fact[];
  ladder: Ladder;
  relations: Pick<Relation, "claim" | "verdict" | "sum" | "comment">[];
  roundTrips: { name: string; duration: string; text: string }[];
  /** What the outcome means, and what else there is to say. */
  remarks: string[];
}

const ROLE_WORDS = {
  client: "the client",
  server: "the server",
  local: "both ends",
  observer: "neither end",
} as const;

/** Makes a view of a story. @param host Who tells it: untrusted text. */
export function viewOf(story: Story, handshake: Handshake, host: string): HandshakeView {
  const { role, epochSeconds, timeNs } = handshake;
  return {
    host,
    time: { epochSeconds, timeNs },
    teller: `${escapeText(host)}, ${ROLE_WORDS[role]}`,
    title: story.title,
    facts: story.facts,
    ladder: layLadder(story),
    relations: story.relations.map(({ claim, verdict, sum, comment }) => ({
      claim,
      verdict,
      sum,
      comment,
    })),
    roundTrips: story.roundTrips.map(({ name, ns, text }) => ({
      name,
      duration: ns === undefined ? "-" : formatExact(ns, story.unit),
      text,
    })),
    remarks: [story.outcome, ...story.remarks],
  };
}

import { tierOf } from "../../match/both_ends.ts";
import type { Endpoint, Handshake } from "../../match/handshake.ts";
import { type ClockBounds, tellBothEnds } from "../../explain/both_ends.ts";
import { EndTold } from "../../explain/end_told.ts";
import { type Ladder, layLadder } from "../../explain/ladder.ts";
import { formatExact } from "../../explain/numbers.ts";
import type { Relation } from "../../explain/relations.ts";
import type { Fact, Story } from "../../explain/story.ts";
import { escapeText } from "../../text/escape.ts";
import { shorten } from "../../text/shorten.ts";
import type { RecordContext } from "../../record/record_context.ts";
import { formatProcess } from "../cells.ts";
import type { WhereContext } from "../whereabouts.ts";
import type { ClockTime } from "./clock_gaps.ts";

/** What a view needs beyond the handshake; the host's name is untrusted. */
export type ViewContext = Pick<RecordContext, "host" | "hostId"> & WhereContext;

/** What is shown of a story. */
export interface DrawnStory {
  title: string;
  facts: Fact[];
  ladder: Ladder;
  relations: Pick<Relation, "claim" | "verdict" | "sum" | "comment">[];
  roundTrips: { name: string; duration: string; text: string }[];
  /** What the outcome means, and what else there is to say. */
  remarks: string[];
}

/** What one host tells of a handshake; every text is safe to print but the host's name. */
export interface HandshakeView {
  /** Name of the host, and what tells it from every other: untrusted texts. */
  host: string;
  hostKey: string;
  /** When it began, by the clock of that host. */
  time: ClockTime;
  /** Processes at the ends; undefined where that host does not know them. */
  client: string | undefined;
  server: string | undefined;
  /** Who tells it, and as what: `web1, the client`. */
  teller: string;
  /** Lays out its story: of those that are kept few are shown. */
  draw(): DrawnStory;
  /** What this host knows as one end, to be joined with the other's; undefined: it is none. */
  end: EndTold | undefined;
}

const ROLE_WORDS = {
  client: "the client",
  server: "the server",
  local: "both ends",
  observer: "neither end",
} as const;

/** Characters of a text that is told of a handshake; a sentence of the tool has fewer. */
export const TOLD_MAX = 400;

/**
 * Makes a view of a story.
 *
 * @param tell Tells the story of the handshake, once it is shown; what it needs for that outlives the object.
 * @param context Who tells it, and what knows where processes are. @param isRecord Whether a record does.
 */
export function viewOf(
  tell: () => Story,
  handshake: Handshake,
  context: ViewContext,
  isRecord = true,
): HandshakeView {
  const { role, epochSeconds, timeNs, client, server } = handshake;
  const name = shorten(context.host, HOST_MAX);
  const processOf = (end: Endpoint) =>
    end.process && shorten(formatProcess(end, context), TOLD_MAX);
  const end = role === "client" || role === "server"
    ? new EndTold(handshake, tell, escapeText(name), isRecord)
    : undefined;
  return {
    host: name,
    hostKey: keyOfHost(context),
    client: processOf(client),
    server: processOf(server),
    time: { epochSeconds, timeNs },
    teller: `${escapeText(name)}, ${ROLE_WORDS[role]}`,
    draw: () => drawn(end?.story ?? tell()),
    end,
  };
}

/** What tells a host from every other. */
export function keyOfHost({ host, hostId }: Pick<RecordContext, "host" | "hostId">): string {
  return hostId ?? shorten(host, HOST_MAX);
}

/** Two views that are of the two ends of one handshake. */
export interface BothViews {
  client: HandshakeView;
  server: HandshakeView;
  /** By what they belong together; see `tierOf`. */
  tier: 1 | 2 | 3;
}

/** Finds out whether two views are of one handshake; undefined: they are not. */
export function joinViews(one: HandshakeView, other: HandshakeView): BothViews | undefined {
  if (one.end === undefined || other.end === undefined) return undefined;
  if (one.hostKey === other.hostKey || one.end.role === other.end.role) return undefined;
  const [client, server] = one.end.role === "client" ? [one, other] : [other, one];
  const tier = tierOf(client.end!.identity, server.end!.identity);
  return tier && { client, server, tier };
}

/** Makes a view of what both ends tell together. @param clock What bounds their clocks in that minute. */
export function viewOfBoth(
  { client, server, tier }: BothViews,
  clock: ClockBounds | undefined,
): HandshakeView {
  const [clientEnd, serverEnd] = [client.end!, server.end!];
  return {
    ...client,
    server: server.server,
    teller: `${clientEnd.host} and ${serverEnd.host} together`,
    draw: () => drawn(tellBothEnds(clientEnd, serverEnd, { tier, clock })),
    end: undefined,
  };
}

function drawn(story: Story): DrawnStory {
  return {
    title: story.title,
    facts: story.facts.map(({ name, text }) => ({ name, text: shorten(text, TOLD_MAX) })),
    ladder: shortLadder(layLadder(story)),
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

/** Lines of one packet or event: a reason that somebody made up could have thousands. */
const LINES_MAX = 12;
const HOST_MAX = 120;

function shortLadder(ladder: Ladder): Ladder {
  const rows = ladder.rows.map((row) =>
    row.lines.length <= LINES_MAX ? row : { ...row, lines: [...row.lines.slice(0, LINES_MAX), "…"] }
  );
  return { ...ladder, rows };
}

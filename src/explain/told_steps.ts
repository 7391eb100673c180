/**
 * What a record tells of the packets of a handshake, where they are not at hand themselves.
 *
 * @module
 */
import type { Endpoint, Handshake } from "../match/handshake.ts";
import { sequenceAdd } from "../wire/sequence.ts";
import { formatBoth, formatSum } from "./numbers.ts";
import type { Relation } from "./relations.ts";
import type { ToldStep } from "./step.ts";

/** What is told of a packet, before it is counted. */
type Told = Omit<ToldStep, "kind" | "number">;

/** The packets that a record tells of: each once, with those of its numbers that are sure. */
export function toldSteps(handshake: Handshake): ToldStep[] {
  const { synNs, synAckNs, ackNs, synCount, synAckCount, client, server } = handshake;
  const steps: (Told | undefined)[] = [
    synNs === undefined ? undefined : {
      timeNs: synNs,
      from: "client",
      part: "SYN",
      tone: "usual",
      label: `[SYN]${seqOf(client.isn)}`,
      remarks: [...announced(client), ...sentAgain(synCount)],
      fits: true,
    },
    synAckNs === undefined ? undefined : {
      timeNs: synAckNs,
      from: "server",
      part: "SYN-ACK",
      tone: handshake.synAckAcknowledgesSyn === false ? "bad" : "usual",
      label: `[SYN, ACK]${seqOf(server.isn)}${ackOf(handshake)}`,
      remarks: [
        ...announced(server),
        ...sentAgain(synAckCount),
        ...(handshake.synAckAcknowledgesSyn === false
          ? ["Its Ack is not what follows the SYN: it answers another one, or none."]
          : []),
      ],
      fits: handshake.synAckAcknowledgesSyn !== false,
    },
    ackNs === undefined ? undefined : {
      timeNs: ackNs,
      from: "client",
      part: "ACK",
      tone: "usual",
      label: "[ACK]",
      remarks: [],
      fits: true,
    },
    resetOf(handshake),
  ];
  return steps.filter((step) => step !== undefined)
    .map((step, index) => ({ kind: "told", number: index + 1, ...step }));
}

function seqOf(isn: number | undefined): string {
  return isn === undefined ? "" : ` Seq=${formatBoth(isn, isn)}`;
}

/** The SYN-ACK's Ack, where it is sure. */
function ackOf(handshake: Handshake): string {
  const { isn } = handshake.client;
  if (isn === undefined || !handshake.synAckAcknowledgesSyn || mayCarryData(handshake)) return "";
  return ` Ack=${formatBoth(sequenceAdd(isn, 1), isn)}`;
}

/** Whether the SYN may have carried data: how much of it was taken, a record does not say. */
function mayCarryData({ flags }: Handshake): boolean {
  return flags.includes("tcp_fast_open");
}

/** What an end announced, as far as a record says it. */
function announced(
  { window, mss, windowScale, sackPermitted, timestamps }: Endpoint,
): string[] {
  const parts = [
    window === undefined ? undefined : `Window ${window}`,
    mss === undefined ? undefined : `MSS ${mss}`,
    windowScale === undefined ? undefined : `window scale ${windowScale}`,
    sackPermitted ? "SACK permitted" : undefined,
    timestamps ? "timestamps" : undefined,
  ].filter((part) => part !== undefined);
  return parts.length === 0 ? [] : [parts.join(", ")];
}

/** How a record's word of repeated packets begins. */
export const REPEATED_IN_RECORD = "The first of ";

function sentAgain(count: number): string[] {
  return count > 1
    ? [`${REPEATED_IN_RECORD}${count}; when the others came, a record does not say.`]
    : [];
}

/** The RST that ended it: it has no time in a record. */
function resetOf(
  { rstCount, outcome }: Handshake,
): Told | undefined {
  if (rstCount === 0 || outcome !== "refused" && outcome !== "aborted") return undefined;
  const from = outcome === "refused" ? "server" : "client";
  return {
    timeNs: undefined,
    from,
    part: "RST",
    tone: "bad",
    label: "[RST]",
    remarks: [],
    fits: true,
  };
}

/** The relations of a handshake's numbers by what a record says of them. */
export function toldRelations(handshake: Handshake): Relation[] {
  const { client, synAckAcknowledgesSyn, ackSequence, ackAcknowledgesSynAck } = handshake;
  const next = client.isn === undefined || mayCarryData(handshake)
    ? undefined
    : formatSum(client.isn, 1);
  return [
    relation("the SYN-ACK's Ack is the SYN's Seq + 1", synAckAcknowledgesSyn, next),
    relation("the ACK's Seq is the SYN's Seq + 1", ackSequence, next),
    // It may acknowledge data of the server's as well.
    relation("the ACK's Ack is the SYN-ACK's Seq + 1", ackAcknowledgesSynAck, undefined),
  ];
}

function relation(claim: string, verdict: boolean | undefined, sum: string | undefined): Relation {
  switch (verdict) {
    case undefined:
      return {
        claim: `${claim}: the record does not say`,
        verdict,
        sum: undefined,
        comment: "",
      };
    case true:
      return { claim, verdict, sum, comment: "" };
    case false:
      return {
        claim,
        verdict,
        sum,
        comment: "But it is another number, which a record does not hold.",
      };
  }
}

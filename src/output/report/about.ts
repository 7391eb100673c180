/**
 * What a report says in sentences: of what it is, what is missing in it, and what the numbers tell.
 *
 * @module
 */
import { countOf, withCommas } from "../../text/count.ts";
import { formatHexadecimal } from "../../text/hexadecimal.ts";
import { explainFlag } from "../../explain/words.ts";
import { formatShare } from "../columns.ts";
import { describeLoss, LOSS_PLACES, type Losses } from "../../pipeline/losses.ts";
import type { TraceState } from "../../pipeline/sink.ts";
import { escapeText } from "../../text/escape.ts";
import { formatSpan, formatTime } from "../../text/time.ts";
import type { Repetition, Statistics } from "../statistics/statistics.ts";
import type { Coverage, Run } from "./coverage.ts";
import type { NumberFacts } from "./number_facts.ts";

/** Sentences under a heading. */
export interface Section {
  title: string;
  sentences: string[];
}

/** What is missing, which is said first; empty where nothing is. */
export function describeMissing(losses: Losses, coverage: Coverage): string[] {
  const lost = LOSS_PLACES.filter(({ name, isLoss }) => isLoss && (losses[name] ?? 0) > 0)
    .map((place) => `Lost: ${describeLoss(place, losses[place.name]!, withCommas)}.`);
  const forgotten = losses.uncompared_records ?? 0;
  return [
    ...lost,
    ...forgotten > 0
      ? [
        `What two hosts saw may count twice: ${
          countOf(forgotten, "record was", "records were", withCommas)
        } forgotten before those of ` +
        "other hosts came. Less time at once (--since, --until) counts each once.",
      ]
      : [],
    ...coverage.runs().flatMap(describeGaps),
  ];
}

function describeGaps({ host, lines, withoutKernel, down, sample }: Run): string[] {
  const of = `${withCommas(withoutKernel)} of ${
    countOf(lines, "status line", "status lines", withCommas)
  }`;
  return [
    ...withoutKernel > 0
      ? [`${host}: in ${of} the kernel told nothing: processes and reasons are missing there.`]
      : [],
    ...down.size > 0 ? [`${host}: not captured all the time on ${[...down].join(", ")}.`] : [],
    ...sample > 1 ? [`${host}: one of ${sample} handshakes was reported.`] : [],
  ];
}

/** A name and what there is to say of it. */
export type Entry = readonly [name: string, text: string];

/** Of what a report is. */
export function describeSource(
  { span, summary, losses }: TraceState,
  coverage: Coverage,
  filters: readonly string[],
): Entry[] {
  const { epochSeconds, startNs, endNs } = span;
  const hosts = coverage.hosts();
  return [
    ["hosts", hosts.map(([host, told]) => `${host} (${withCommas(told)})`).join(", ") || "none"],
    [
      "time",
      `${minute(epochSeconds, startNs)} to ${minute(epochSeconds, endNs)} UTC, ` +
      formatSpan(endNs - startNs),
    ],
    [
      "filters",
      filters.length === 0
        ? "none"
        : `${escapeText(filters.join(" "))} (${
          countOf(summary.filtered, "more was", "more were", withCommas)
        } kept back)`,
    ],
    ...coverage.runs().map((run): Entry => ["traced", describeRun(run)]),
    ...coverage.moreRuns > 0
      ? [
        [
          "traced",
          `${
            countOf(coverage.moreRuns, "status line", "status lines", withCommas)
          } of still others`,
        ] as const,
      ]
      : [],
    ...asideEntries(losses),
  ];
}

function describeRun({ host, since, until, filters, kernels, withoutKernel }: Run): string {
  const told = [
    filters.length === 0 ? "without filters" : `only ${filters.join(" ")}`,
    ...kernels.size > 0
      ? [`kernel events by ${[...kernels].join(", ")}`]
      : withoutKernel > 0
      ? ["packets alone"]
      : [],
  ];
  return `${host}, from ${since} to ${until}: ${told.join(", ")}`;
}

/** What was set aside: no loss, but it says what is not here. */
function asideEntries(losses: Losses): Entry[] {
  return LOSS_PLACES.filter(({ name, isLoss }) => !isLoss && (losses[name] ?? 0) > 0)
    .map((place): Entry => ["set aside", describeLoss(place, losses[place.name]!, withCommas)]);
}

function minute(epochSeconds: number, ns: number): string {
  return formatTime(epochSeconds, ns).slice(0, -"000000Z".length).replace("T", " ");
}

/**
 * Which handshakes the table has.
 *
 * @param rows How many. @param all How many there are. @param others How many of them are the other end of
 * a row, and count as one of their own because a NAT changed their addresses.
 */
export function describeRows(rows: number, all: number, others = 0): string {
  const beside = others === 0
    ? ""
    : ` ${countOf(others, "more is", "more are", withCommas)} the other end of one of these, of ` +
      "which a NAT changed the addresses.";
  if (rows === all) return all === 1 ? "1 handshake." : `All ${handshakesText(all)}.`;
  if (rows + others === all) return `${withCommas(rows)} of ${handshakesText(all)}.${beside}`;
  return `${withCommas(rows)} of ${
    handshakesText(all)
  }: of each way to end some, chosen at random, and the ` +
    `slowest that were established.${beside}`;
}

/** What packets that came again, the numbers and the flags tell. */
export function describeNumbers(statistics: Statistics, facts: NumberFacts): Section[] {
  const { syn, synAck } = statistics;
  const flags = facts.flags();
  return [
    {
      title: "Packets that were sent again",
      sentences: [
        describeRepetition("SYN", syn, "it or its answer got lost, or nobody answers"),
        describeRepetition(
          "SYN-ACK",
          synAck,
          "it or the ACK got lost, or the client never answers",
        ),
        "A repeated SYN comes a second or more after the first: that is how long a user waits longer.",
      ],
    },
    {
      title: "Initial sequence numbers (ISNs)",
      sentences: [
        "Each side counts its bytes from a number on that nobody else should be able to guess.",
        describeSpread("clients", facts, "client"),
        describeSpread("servers", facts, "server"),
        ...describeChecks(facts),
      ],
    },
    ...flags.length === 0 ? [] : [{
      title: "What is no error, and worth a word",
      sentences: flags.map(([flag, handshakes]) =>
        `${flag}, in ${handshakesText(handshakes)}. ${explainFlag(flag)}`
      ),
    }],
  ];
}

function describeRepetition(
  packet: string,
  { captured, repeated }: Repetition,
  why: string,
): string {
  if (captured === 0) return `No ${packet} was captured.`;
  const share = formatShare(repeated, captured);
  return `The ${packet} was seen again in ${withCommas(repeated)} of ${handshakesText(captured)} ` +
    `(${share})` + (repeated === 0 ? "." : `: ${why}.`);
}

function describeSpread(whose: string, facts: NumberFacts, side: "client" | "server"): string {
  const { known, isEven, densest } = facts.spread(side);
  if (known === 0) return `Those of the ${whose} are not known.`;
  const begin = `Those of the ${whose} are known of ${handshakesText(known)}`;
  if (isEven === undefined) return `${begin}: too few to say how they are spread.`;
  if (isEven) return `${begin}, and spread evenly over all numbers, as they should be.`;
  const from = formatHexadecimal(densest.from >>> 0);
  const part = `${(densest.share * 100).toFixed(0)} % are in the sixteenth from ${from} on`;
  return `${begin}, and not spread evenly: ${part}. A program that makes its own packets, such as a ` +
    "scanner, may choose them so.";
}

const CHECK_WORDS = [
  "The SYN-ACK's Ack was the SYN's Seq + 1",
  "The ACK's Seq was the SYN's Seq + 1",
  "The ACK's Ack was the SYN-ACK's Seq + 1",
] as const;

function describeChecks({ checks }: NumberFacts): string[] {
  return checks.map(({ held, failed }, at) =>
    held + failed === 0
      ? `${CHECK_WORDS[at]}: never seen.`
      : `${CHECK_WORDS[at]} in ${withCommas(held)} of ${handshakesText(held + failed)}.`
  );
}

function handshakesText(handshakes: number): string {
  return countOf(handshakes, "handshake", "handshakes", withCommas);
}

import type { Handshake } from "../../match/handshake.ts";
import { type GroupingContext, GROUPINGS, namesOf } from "../statistics/groupings.ts";
import type { Passes } from "./top_model.ts";

/** What a text that was typed means as a filter, or what is wrong with it, one sentence. */
export type HandshakeFilterText = { passes: Passes } | { fault: string };

/** Words of a line as a shell would cut them: quotes keep blanks. */
export function splitWords(text: string): string[] {
  const words = text.matchAll(/(?:"[^"]*"?|'[^']*'?|[^\s"'])+/g);
  return [...words].map(([word]) => word.replace(/"([^"]*)"?|'([^']*)'?/g, "$1$2"));
}

/** Whether a text is part of a name of the handshake or its outcome, in letters of either case. */
export function mentions(handshake: Handshake, context: GroupingContext, text: string): boolean {
  const wanted = text.toLowerCase();
  return handshake.outcome.includes(wanted) ||
    GROUPINGS.some((grouping) =>
      namesOf(grouping, handshake, context).some((name) => name.toLowerCase().includes(wanted))
    );
}

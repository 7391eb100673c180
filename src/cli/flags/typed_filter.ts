import { type HandshakeFilterText, mentions, splitWords } from "../../output/top/filter_text.ts";
import { passes } from "../../pipeline/filter.ts";
import { FILTER_FLAGS, type FilterGround, parseFilter } from "./filter_options.ts";
import { parseFlags } from "./flags.ts";
import { UsageError } from "../usage.ts";

/**
 * Reads a filter as it is typed on a screen: the flags of the command line, and words that names are to
 * have in them.
 */
export function parseTypedFilter(text: string, ground: FilterGround): HandshakeFilterText {
  try {
    const parsed = parseFlags(splitWords(text), FILTER_FLAGS);
    const filter = parseFilter(parsed, {
      ...ground,
      uidOf: (name) => {
        const uid = ground.uidOf(name);
        if (uid === undefined) throw new UsageError(`no user is called "${name}"`);
        return uid;
      },
    });
    const { operands } = parsed;
    return {
      passes: (handshake, context) =>
        passes(filter, handshake, context) &&
        operands.every((word) => mentions(handshake, context, word)),
    };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return { fault: error.message };
  }
}

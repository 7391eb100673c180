import { wrap } from "../../text/wrap.ts";
import { GROUPINGS } from "../statistics/groupings.ts";
import type { ScreenLine } from "./screen_line.ts";

/** What can be pressed, and what it does. */
export const KEYS_HELP: readonly (readonly [keys: string, does: string])[] = [
  ["Up Down j k", "the row before, the next one"],
  ["PgUp PgDn g G", "a page, the first row, the last one"],
  ["Tab, Shift-Tab", `group by ${GROUPINGS.join(", ")}`],
  ["s, 1 to 9", "sort by the next column, by one of them: 1 the name, 2 the count and so on"],
  ["S", "sort the other way round"],
  ["Enter", "the handshakes of the group; of a handshake the ladder"],
  ["Esc", "back; in the table: without the filter"],
  ["f", "the latest failures"],
  ["o", "the slowest"],
  ["a", "the latest of all"],
  ["n p", "the ladder of the next one of the list, of the one before"],
  ["Left Right h l", "move a ladder that is wider than the screen"],
  ["/", "filter while typing: --port 443 --failed; words are looked for in names"],
  ["space", "pause; what comes is counted"],
  ["c", "count anew"],
  ["w", "save: handshakes as NDJSON, a ladder as text"],
  ["m", "what was said"],
  ["Ctrl-L", "draw everything again"],
  ["Ctrl-Z", "stop until fg"],
  ["?", "this"],
  ["q, Ctrl-C", "end"],
  [
    "mouse",
    "a click chooses, another opens; on a heading it sorts; the wheel moves; with Shift it is the terminal's",
  ],
];

/** How the numbers are to be read. */
const NOTES: readonly string[] = [
  "NEW/S and FAIL/S are handshakes and failures a second, of the last 10 s; all other numbers are " +
  "since the start or since c.",
  "NET is the round trip through the network: SYN to SYN-ACK of this host's clients, SYN-ACK to ACK " +
  "of its servers; with both ends or none here, both together.",
  "HOST is this host's own time, c as client from SYN-ACK to ACK, s as server from SYN to SYN-ACK; " +
  "of a row with both, the one of which there are more.",
  "P50 and P99 are never too low and at most 1.6 % too high. >= may be more: the row made room once.",
  "LAST 60 S is red where some failed.",
];

/** Characters of the keys. */
const KEYS_WIDTH = 16;

/** Writes the help. @param width Places, 20 or more. */
export function drawHelp(width: number): ScreenLine[] {
  const indent = width < 60 ? 2 : KEYS_WIDTH;
  return [
    ...KEYS_HELP.flatMap(([keys, does]): ScreenLine[] => {
      const rows = wrap(does, Math.max(2, width - indent));
      if (indent < KEYS_WIDTH) {
        return [
          [{ text: keys, style: "heading" }],
          ...rows.map((text) => [{ text: " ".repeat(indent) + text }]),
        ];
      }
      return rows.map((text, at) => [
        { text: (at === 0 ? keys : "").padEnd(indent), style: "heading" as const },
        { text },
      ]);
    }),
    ...NOTES.flatMap((
      note,
    ): ScreenLine[] => [[], ...wrap(note, Math.max(2, width)).map((text) => [{ text }])]),
  ];
}

/** What is looked at of a text: whoever types more than this has mistyped no word of ours. */
const TEXT_LENGTH_MAX = 32;
/** Of so many letters one may be wrong; of the shortest word one may be, too. */
const LETTERS_A_SLIP = 3;
/** Words proposed at most: more would be a list to read again. */
const PROPOSALS_MAX = 3;

/**
 * Finds the words that somebody meant who mistyped one: those that it begins, else those that need the
 * fewest letters to be added, left out, replaced or swapped with the next one.
 *
 * @param text What was typed; case does not count. @param words Those there are.
 * @returns At most three; none where nothing is near.
 */
export function nearestWords(text: string, words: readonly string[]): string[] {
  if (text === "" || text.length > TEXT_LENGTH_MAX) return [];
  const typed = text.toLowerCase();
  const begun = words.filter((word) => word.startsWith(typed));
  if (begun.length > 0) return begun.length > PROPOSALS_MAX ? [] : begun;
  const slips = words.map((word) => countSlips(typed, word));
  const fewest = Math.min(...slips);
  const near = words.filter((word, index) => {
    const length = Math.max(typed.length, word.length);
    return slips[index] === fewest && fewest <= Math.max(1, Math.floor(length / LETTERS_A_SLIP));
  });
  // A letter for another is the other word, not a slip.
  return typed.length === 1 || near.length > PROPOSALS_MAX ? [] : near;
}

/**
 * Asks whether something near was meant: `did you mean --port?`.
 *
 * @param head What stands before each word, such as `--`.
 * @returns Undefined where nothing is near.
 */
export function askNearest(text: string, words: readonly string[], head = ""): string | undefined {
  const near = nearestWords(text, words).map((word) => head + word);
  const last = near.pop();
  if (last === undefined) return undefined;
  return `did you mean ${near.length > 0 ? `${near.join(", ")} or ${last}` : last}?`;
}

/** The optimal string alignment distance of two texts. */
function countSlips(from: string, to: string): number {
  let before: number[] = [];
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const isSame = from[i - 1] === to[j - 1];
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (isSame ? 0 : 1));
      const isSwapped = from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1];
      if (i > 1 && j > 1 && isSwapped) next[j] = Math.min(next[j], before[j - 2] + 1);
    }
    before = row;
    row = next;
  }
  return row[to.length];
}

import { ServerError } from "./server_error.ts";
import { tokensOf } from "./views_sql.ts";

/** Words that would change how, or of how many servers, a question is answered. */
const REFUSED = ["FORMAT", "SETTINGS", "OUTFILE"];
const FIRST = /^(?:SELECT|WITH|\()$/i;

/**
 * Looks at SQL that somebody wrote: one SELECT whose answer comes as any other. What it may read is decided
 * by the server, where `readonly` is set.
 *
 * @returns It, without what ends it. @throws {ServerError} It is something else.
 */
export function ownSql(sql: string): string {
  const tokens = tokensOf(sql).filter((token) => !/^(?:\s|--|\/\*)/.test(token));
  while (tokens.at(-1) === ";") tokens.pop();
  if (tokens.length === 0) throw refusal("give a statement");
  if (!FIRST.test(tokens[0])) throw refusal("give a SELECT: what changes anything is not run");
  if (tokens.includes(";")) throw refusal("give one statement");
  const word = REFUSED.find((each) => tokens.some((token) => token.toUpperCase() === each));
  if (word !== undefined) throw refusal(`leave ${word} out: it is not taken from a question`);
  return sql.trim().replace(/[;\s]+$/, "");
}

function refusal(reason: string): ServerError {
  return new ServerError("sql", `Cannot answer: ${reason}`);
}

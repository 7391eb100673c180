/** What something thrown says: the message of an error, else the thing as text. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** What fetch puts before what went wrong: also the whole address, of which a part may be secret. */
const FETCH_PREFIX =
  /^(?:Fetch failed: )?(?:error sending request for url \(.*?\): )?(?:client error \(\w+\): )?/;

/** What is behind an error of fetch: the system's words, which it hides. One line. */
export function causeOf(error: unknown): string {
  const causes: string[] = [];
  for (let each = error; each instanceof Error; each = each.cause) causes.push(each.message);
  const cause = causes[causes.length - 1] ?? messageOf(error);
  return cause.replace(FETCH_PREFIX, "").replace(/^.*: (?=[^:]*\(os error \d+\)$)/, "").split(
    "\n",
  )[0];
}

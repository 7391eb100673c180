/** What helps where the system's words alone do not say it, by the errno's name. */
const ADVICE: Readonly<Record<string, string>> = {
  EMFILE: "raise the limit on open files (ulimit -n)",
};

/** What something thrown says: the message of an error, with what to do, else the thing as text. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const advice = "code" in error ? ADVICE[String(error.code)] : undefined;
  return advice === undefined ? error.message : `${error.message}, ${advice}`;
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

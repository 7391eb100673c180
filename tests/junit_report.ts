/** One test or test step of a JUnit report. */
export interface TestCase {
  /** Its name; a step's has its test's before it, with ` > ` between. */
  readonly name: string;
  /** What became of it. */
  readonly result: "passed" | "failed" | "skipped";
  /** What a failed one said: its error, without the stack. */
  readonly failure?: string;
}

/** What divides the name of a skipped test from the reason it was skipped for. */
export const SKIP_MARK = " — skipped: ";

const ENTITIES: Record<string, string> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };

/**
 * Reads the report that `deno test --junit-path` writes.
 *
 * @param xml The report.
 * @returns Its tests and test steps, in order.
 */
export function parseJunitReport(xml: string): TestCase[] {
  const cases = xml.matchAll(/<testcase name="([^"]*)"[^>]*?(?:\/>|>([^]*?)<\/testcase>)/g);
  return Array.from(cases, ([, name, body = ""]) => {
    // Text inside a body is escaped, so that a tag in it is a tag.
    const failure = /<(?:failure|error)\b(?: message="([^"]*)")?/.exec(body);
    if (failure) {
      return { name: unescape(name), result: "failed", failure: unescape(failure[1] ?? "") };
    }
    return { name: unescape(name), result: /<skipped\b/.test(body) ? "skipped" : "passed" };
  });
}

/** Divides a skipped test's name into the test and the reason, by {@linkcode SKIP_MARK}. */
export function skipReason(name: string): { test: string; reason: string } {
  const at = name.indexOf(SKIP_MARK);
  if (at === -1) return { test: name, reason: "no reason given" };
  return { test: name.slice(0, at), reason: name.slice(at + SKIP_MARK.length) };
}

function unescape(text: string): string {
  return text.replace(/&(?:#(\d+)|#x([0-9a-f]+)|(\w+));/gi, (whole, decimal, hex, name) => {
    if (decimal) return String.fromCodePoint(Number(decimal));
    if (hex) return String.fromCodePoint(parseInt(hex, 16));
    return ENTITIES[name] ?? whole;
  });
}

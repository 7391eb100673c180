import { NO_UTF8 } from "../../linux/environment.ts";
import type { Flag, ParsedFlags } from "./flags.ts";
import { STANDARD_OUTPUT } from "./output_options.ts";
import { UsageError } from "../usage.ts";

/** The flag that lets a page replace a file. */
export const FORCE_FLAG: Flag = {
  name: "force",
  meaning: "replace the page where one is there already",
};

/** The flags of a live trace that makes a page, as `report` does of files. */
export const PAGE_FLAGS: readonly Flag[] = [
  {
    name: "report",
    value: "FILE",
    meaning: "at the end, write a page of HTML there, with charts and ladders",
  },
  FORCE_FLAG,
];

/** Whether and where a live trace makes a page. */
export interface PageOptions {
  /** Undefined: it makes none. */
  report: string | undefined;
  /** Whether a page that is there is replaced. */
  force: boolean;
}

/**
 * Reads the flags of {@link PAGE_FLAGS}.
 *
 * @throws {UsageError} One line for the user.
 */
export function parsePage({ switches, values }: ParsedFlags): PageOptions {
  const report = values.get("report")?.[0];
  const force = switches.has(FORCE_FLAG.name);
  if (report === STANDARD_OUTPUT) {
    throw new UsageError('Cannot use --report "-": give a FILE, standard output is for handshakes');
  }
  if (force && report === undefined) {
    throw new UsageError("Cannot use --force without --report: it is about that page");
  }
  if (report !== undefined) assertNamed("report", report);
  return { report, force };
}

/** Refuses a name that cannot be passed on. @throws {UsageError} It is none. */
export function assertNamed(flag: string, path: string): void {
  if (!path.includes(NO_UTF8)) return;
  throw new UsageError(
    `Cannot use --${flag} "${path}": its name is no UTF-8 and cannot be passed on; give another`,
  );
}

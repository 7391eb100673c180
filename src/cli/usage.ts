/** A command line that cannot be used. Its message is one line: what is wrong and what to do. */
export class UsageError extends Error {
  /** @param message What is wrong and what to do. */
  constructor(message: string) {
    super(message);
    this.name = "UsageError";
  }
}

/** Exit statuses of every command. */
export const ExitStatus = {
  /** It did what it was asked to. */
  Ok: 0,
  /** It could not go on, or could not write everything it reported. */
  Failed: 1,
  /** The command line cannot be used: nothing was done. */
  Usage: 2,
  /** It needs rights that it does not have: nothing was done. */
  NotPermitted: 3,
  /** Of `doctor`: a trace works, with less than this kernel can tell. */
  WorksWithLess: 4,
  /** With `--exit-status`: it did what it was asked to, and nothing matched. */
  NothingMatched: 4,
  /** The second Ctrl-C: it left at once, without a summary. */
  Interrupted: 130,
} as const;

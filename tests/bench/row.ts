/**
 * What a benchmark is made of: rows that measure, and the figures they give.
 *
 * @module
 */
import { findExecutable } from "../../src/linux/host.ts";
import { compileC } from "../netns/compile.ts";

/** What the median of a figure is held against. */
export type Aim = { atLeast: number } | { atMost: number };

/** One quantity, measured some times. */
export interface Figure {
  /** What was measured, for the table. */
  name: string;
  /** Its unit; "ratio" for one quantity against the same untraced. */
  unit: string;
  /** One value a run; none where it could not be measured. */
  values: readonly number[];
  aim?: Aim;
  /** What a reader must know beside the numbers; why there are none. */
  note?: string;
}

/** A row of the table: a question about the cost, and how to answer it. */
export interface Row {
  /** Its name for `--row`. */
  name: string;
  /** The question, for the table. */
  title: string;
  /** Programs without which there is no answer. */
  needs: readonly string[];
  /** Answers it. Throws where something is wrong; a missing peer is a figure with a note. */
  measure(bench: Bench): Promise<Figure[]>;
  /**
   * Tells how fast the version at hand is as a multiple of another; absent: it cannot.
   *
   * @param root Folder of the other version.
   */
  compare?(bench: Bench, root: string): Promise<Figure[]>;
}

/**
 * How much of everything is measured: `quick` is one short run each, only to see that it works; `long`
 * goes on for longer than a person waits, to see what only comes with time.
 */
export type Length = "quick" | "whole" | "long";

/** What rows share. */
export class Bench {
  /** A folder for the files of one row, removed when it is measured. */
  readonly folder: string;
  /** How much is measured. */
  readonly length: Length;
  readonly #programs = new Map<string, Promise<string>>();

  constructor(folder: string, length: Length) {
    this.folder = folder;
    this.length = length;
  }

  /** @returns `whole`, or `short` of a quick run, or `long` of a long one. */
  either<T>(whole: T, short: T, long: T = whole): T {
    return { quick: short, whole, long }[this.length];
  }

  /** @returns All, or the first of them for a quick run. */
  some<T>(all: readonly T[]): readonly T[] {
    return this.length === "quick" ? all.slice(0, 1) : all;
  }

  /** Says on standard error what is going on. */
  say(words: string): void {
    console.error(`  ${words}`);
  }

  /** A C program of the tests, by its path from this folder, compiled once. @returns Its path. */
  program(source: string): Promise<string> {
    const known = this.#programs.get(source);
    if (known) return known;
    const compiled = compileC(new URL(source, import.meta.url), this.folder);
    this.#programs.set(source, compiled);
    return compiled;
  }
}

/** The first of some programs that is not on this machine. */
export function missingProgram(names: readonly string[]): string | undefined {
  return names.find((name) => findExecutable(name) === undefined);
}

/** The middle of some values, the mean of the two middle ones of an even number; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return (sorted[Math.floor(middle)] + sorted[Math.ceil(middle) - 1]) / 2;
}

/** Whether a figure reaches its aim; undefined where it has none or was not measured. */
export function reachesAim({ aim, values }: Figure): boolean | undefined {
  if (aim === undefined || values.length === 0) return undefined;
  const middle = median(values);
  return "atLeast" in aim ? middle >= aim.atLeast : middle <= aim.atMost;
}

/**
 * How the memory of a running process goes on.
 *
 * @module
 */
import { residentMb } from "./process_cost.ts";

const SAMPLE_MS = 500;

/** Memory of a process while something went on, MB of 2^20 bytes. */
export class Growth<T> {
  /** What came of it. */
  readonly result: T;
  /** The most it had by then. */
  readonly peak: number;
  readonly #samples: readonly number[];

  private constructor(result: T, samples: readonly number[], peak: number) {
    [this.result, this.#samples, this.peak] = [result, samples, peak];
  }

  /** Looks at a process until something is over. */
  static async during<T>(pid: number, something: () => Promise<T>): Promise<Growth<T>> {
    const samples = [residentMb(pid).now];
    const timer = setInterval(() => samples.push(residentMb(pid).now), SAMPLE_MS);
    const result = await something().finally(() => clearInterval(timer));
    const { now, peak } = residentMb(pid);
    return new Growth(result, [...samples, now], peak);
  }

  /** Its memory after a share of the time, from 0 to 1. */
  at(share: number): number {
    return this.#samples[Math.round((this.#samples.length - 1) * share)];
  }

  /** The most it came to have more than it had after a share of the time. */
  after(share: number): number {
    const from = Math.round((this.#samples.length - 1) * share);
    return Math.max(...this.#samples.slice(from)) - this.#samples[from];
  }
}

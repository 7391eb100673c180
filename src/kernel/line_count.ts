import type { KernelLine } from "./kernel_line.ts";

/** How long a printed line takes, through bpftrace and a pipe, where the machine is not busy. */
const USUAL_NS = 100e6;
/** How long one is waited for on a busy machine, before it is taken for lost. */
const LATE_MAX_NS = 2e9;
/** Looks that must have found it lacking: whoever was stopped for long has not read what came meanwhile. */
const LATE_LOOKS = 20;

/** Printed records of one run of bpftrace: those that came, and those that did not, or not yet. */
export class LineCount {
  /** By the CPU that told them: those of one come in their order, and say nothing of another's. */
  readonly #came: number[] = [];
  /** By what bpftrace says, which is late, and with 0.17 and 0.27 not always all. */
  #told = 0;
  /** By the program's own count, which bpftrace prints last of all where it ends by itself. */
  #written = 0;
  #hasEnded = false;
  /** What the program had written at moments that are not complete yet, oldest first. */
  readonly #looks: { atNs: number; written: readonly number[] }[] = [];
  /** Lines that were waited for in vain. */
  #given = 0;
  #completeNs = -Infinity;

  /** Takes what a line says. */
  take(line: KernelLine): void {
    if (line.type === "record") this.#came[line.cpu] = (this.#came[line.cpu] ?? 0) + 1;
    else if (line.type === "lost") this.#told += line.count;
    else if (line.type === "end") this.#hasEnded = true;
    else if (line.type === "written" && this.#hasEnded) this.#written = line.count;
  }

  /** How many are known not to have come. */
  get lost(): number {
    const came = this.#came.reduce((sum, count) => sum + count, 0);
    return Math.max(this.#told, this.#written - came);
  }

  /**
   * Looks up to when every record has come, or is taken for lost.
   *
   * @param nowNs Now, nanoseconds on the axis.
   * @param written How many the program has written until now on each CPU; undefined where its counts
   *   cannot be read.
   * @returns That moment; where there is no count, the one until which they usually have.
   */
  completeUntil(nowNs: number, written: readonly number[] | undefined): number {
    const usualNs = nowNs - USUAL_NS;
    if (written === undefined) return usualNs;
    const looks = this.#looks;
    this.#given = Math.max(0, Math.min(this.#given, this.#lackingOf(written)));
    // After a clock that was set back.
    while (looks.length > 0 && looks.at(-1)!.atNs > nowNs) looks.pop();
    looks.push({ atNs: nowNs, written });
    for (; looks.length > 0 && looks[0].atNs <= usualNs; looks.shift()) {
      const look = looks[0];
      const lacking = this.#lackingOf(look.written) - this.#given;
      if (lacking > 0) {
        const isLost = look.atNs <= nowNs - LATE_MAX_NS && looks.length > LATE_LOOKS;
        if (!isLost) break;
        this.#given += lacking;
      }
      this.#completeNs = look.atNs;
    }
    return this.#completeNs = Math.min(this.#completeNs, usualNs);
  }
  /** How many of those have not come, whatever has come that was written later on other CPUs. */
  #lackingOf(written: readonly number[]): number {
    let lacking = -this.#told;
    for (let cpu = 0; cpu < written.length; cpu++) {
      lacking += Math.max(0, written[cpu] - (this.#came[cpu] ?? 0));
    }
    return lacking;
  }
}

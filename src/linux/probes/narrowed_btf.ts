/**
 * The kernel's description of itself, narrowed to what a program reads, where bpftrace can open it:
 * in memory, so that nothing is left behind whatever ends this process.
 *
 * @module
 */
import { narrowBtf } from "../../kernel/narrow_btf.ts";
import { exists } from "./kernel_files.ts";
import { checkResult, cString, libc, release } from "../libc.ts";

/** Where the kernel describes its own structures. */
export const BTF = "/sys/kernel/btf/vmlinux";

// linux/memfd.h
const MFD_CLOEXEC = 1;
/** Probes that name a function by its number in the kernel's own description: bpftrace wants that one. */
const OWN_NUMBERS = /^k(?:ret)?func:/m;

/**
 * Where bpftrace places members rightly by it. It has clang lay out the C that it writes, in which bit
 * fields without a name stand for what was left out: on arm64 those align the structure around them,
 * and what comes after moves.
 */
const ARCHITECTURE = "x86_64";

/** A file in memory that holds it. */
export class NarrowedBtf implements Disposable {
  /** Opens it while it is not disposed of, from any process of this user. */
  readonly path: string;
  readonly #fd: number;
  #open = true;

  private constructor(fd: number) {
    this.#fd = fd;
    this.path = `/proc/${Deno.pid}/fd/${fd}`;
  }

  /**
   * Makes one for a program.
   *
   * @returns Nothing where there is no description that could be narrowed, or the program or this
   *   architecture needs it whole: bpftrace then looks for it itself.
   */
  static for(program: string): NarrowedBtf | undefined {
    if (Deno.build.arch !== ARCHITECTURE || OWN_NUMBERS.test(program) || !exists(BTF)) {
      return undefined;
    }
    const whole = Deno.readFileSync(BTF);
    const bytes = narrowBtf(whole, program);
    release(whole);
    if (bytes === undefined) return undefined;
    const name = cString("synsnoop-btf");
    const narrowed = new NarrowedBtf(
      checkResult(libc().memfd_create(name, MFD_CLOEXEC), "memfd_create"),
    );
    Deno.writeFileSync(narrowed.path, bytes);
    release(bytes);
    return narrowed;
  }

  /** Frees it. Who has read it needs it no more. */
  [Symbol.dispose](): void {
    if (this.#open) libc().close(this.#fd);
    this.#open = false;
  }
}

/**
 * Which network namespaces a trace is to capture in, as they come and go.
 *
 * @module
 */
import { clockNs } from "../libc.ts";
import {
  type FoundNamespace,
  isMounted,
  namespaceOfProcess,
  scanNamespaces,
} from "./namespace_scan.ts";

/** What was asked for: names of `ip netns`, process ids, or {@link EVERY_NAMESPACE}. */
export type NamespaceTargets = readonly string[];

/** The target that means every namespace. */
export const EVERY_NAMESPACE = "all";

/** How this machine's namespaces are found, and what that costs. */
export interface NamespaceFinder {
  scan(): ReadonlyMap<number, FoundNamespace>;
  ofProcess(pid: number): number | undefined;
  isMounted(inode: number): boolean;
  /** Milliseconds of a CPU that this thread has used. */
  usedMs(): number;
}

/** What changed since the last look. */
export interface NamespaceChanges {
  /** Wanted and new. */
  found: FoundNamespace[];
  /** Inode numbers of those that nothing holds any more but, maybe, this process. */
  gone: number[];
}

/** Something that a trace was asked to capture does not exist. Its message is one line. */
export class UnknownTargetError extends Error {
  /** @param message What there is not, and what there is. */
  constructor(message: string) {
    super(message);
    this.name = "UnknownTargetError";
  }
}

const LOOK_EVERY_MS = 1_000;
/** How soon it is looked again for one that the kernel told of, or that one look missed. */
const HURRIED_MS = 250;
/** A look may take this share of a core: on a machine with many processes it is rarer. */
const LOOK_SHARE = 0.005;
const HURRIED_SHARE = 0.02;
/**
 * Looks in sequence that must miss a namespace. One may miss what is there: a process that is begun
 * while /proc is read, by one that ends.
 */
const MISSES = 2;

const MACHINE: NamespaceFinder = {
  scan: scanNamespaces,
  ofProcess: namespaceOfProcess,
  isMounted,
  usedMs: () => Number(clockNs("thread")) / 1e6,
};

/** Watches for the namespaces that were asked for. */
export class NamespaceWatch {
  readonly #own: number;
  readonly #finder: NamespaceFinder;
  readonly #all: boolean;
  readonly #names = new Set<string>();
  readonly #inodes = new Set<number>();
  /** How many looks in sequence missed each namespace that was found. */
  readonly #misses = new Map<number, number>();
  #lookedMs = -Infinity;
  #tookMs = 0;
  #hurried = false;

  /**
   * Looks for the targets; {@link look} then finds them.
   *
   * @param targets What was asked for. @param own Inode number of the own namespace, which is never
   *   found. @param finder How to look.
   * @throws {UnknownTargetError} where there is no namespace of a name and no such process.
   */
  constructor(targets: NamespaceTargets, own: number, finder: NamespaceFinder = MACHINE) {
    this.#own = own;
    this.#finder = finder;
    this.#all = targets.includes(EVERY_NAMESPACE);
    const names = [...finder.scan().values()].flatMap(({ name }) => name ?? []);
    for (const target of targets) {
      if (target === EVERY_NAMESPACE) continue;
      const inode = /^\d+$/.test(target) ? finder.ofProcess(Number(target)) : undefined;
      if (names.includes(target)) this.#names.add(target);
      else if (inode !== undefined) this.#inodes.add(inode);
      else throw unknownTarget(target, names);
    }
  }

  /** Whether it looks for every namespace. */
  get all(): boolean {
    return this.#all;
  }

  /**
   * Looks, where that is due: about once a second.
   *
   * @param nowMs Any clock that only goes on.
   * @returns Undefined where it did not look.
   */
  look(nowMs: number): NamespaceChanges | undefined {
    const [everyMs, share] = this.#hurried ? [HURRIED_MS, HURRIED_SHARE] : [
      LOOK_EVERY_MS,
      LOOK_SHARE,
    ];
    if (nowMs - this.#lookedMs < Math.max(everyMs, this.#tookMs / share)) return undefined;
    const begunMs = this.#finder.usedMs();
    this.#hurried = false;
    const changes = this.#compare(this.#finder.scan());
    this.#tookMs = this.#finder.usedMs() - begunMs;
    this.#lookedMs = nowMs;
    return changes;
  }

  /** Has an unknown namespace looked for soon, because the kernel told of something in it. */
  hintNamespace(inode: number): void {
    if (this.#all && inode !== this.#own && !this.#misses.has(inode)) this.#hurried = true;
  }

  /** Has a namespace that could not be used found again, if it is there. */
  forget(inode: number): void {
    this.#misses.delete(inode);
  }

  #compare(present: ReadonlyMap<number, FoundNamespace>): NamespaceChanges {
    const found = [...present.values()].filter((each) =>
      !this.#misses.has(each.inode) && this.#isWanted(each)
    );
    const gone: number[] = [];
    for (const inode of this.#misses.keys()) {
      const misses = present.has(inode) || this.#finder.isMounted(inode)
        ? 0
        : this.#misses.get(inode)! + 1;
      this.#misses.set(inode, misses);
      if (misses === MISSES) gone.push(inode);
      else if (misses > 0) this.#hurried = true;
    }
    for (const inode of gone) {
      this.#misses.delete(inode);
      // The number may be given to another one.
      this.#inodes.delete(inode);
    }
    for (const { inode } of found) this.#misses.set(inode, 0);
    return { found, gone };
  }

  #isWanted({ inode, name }: FoundNamespace): boolean {
    if (inode === this.#own) return false;
    return this.#all || this.#inodes.has(inode) || name !== undefined && this.#names.has(name);
  }
}

function unknownTarget(target: string, names: readonly string[]): UnknownTargetError {
  const there = names.length > 0 ? `there are ${names.toSorted().join(", ")}` : "none has a name";
  return new UnknownTargetError(
    `Cannot use --netns "${target}": no network namespace has that name and no process that ` +
      `id; ${there}, or give ${EVERY_NAMESPACE}`,
  );
}

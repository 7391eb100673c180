/**
 * In which network namespaces and on which interfaces a trace captures.
 *
 * @module
 */
import { CaptureSite } from "./capture_site.ts";
import { countOf } from "../../text/count.ts";
import { listInterfaces } from "../netns/interfaces.ts";
import { SystemCallError } from "../libc.ts";
import { openFilesLeft } from "../open_files.ts";
import type { FoundNamespace } from "../netns/namespace_scan.ts";
import {
  type NamespaceTargets,
  NamespaceWatch,
  UnknownTargetError,
} from "../netns/namespace_watch.ts";
import { NetworkNamespace } from "../netns/network_namespace.ts";

/** Namespaces captured beside the own one; see `RING_SIZES` for the memory they take. */
const OTHERS_MAX = 256;
/** Files open for each of them: itself and what tells of its interfaces; a ring, its filter and that one's maps. */
const FILES_OF_SITE = 2;
const FILES_OF_RING = 4;
/** Files left for all else: the own rings, bpftrace, outputs, what tells of listeners and containers. */
const FILES_LEFT = 64;
/** Fewer are too few for a trace of the own namespace: with some left the runtime itself ends without a word. */
const FILES_MIN = 24;
/** What open(2) says of the namespace of a process that has ended. */
const GONE: readonly string[] = ["ENOENT", "ESRCH"];

/** What changed since the last look. */
export interface SiteChanges {
  /** In {@link CaptureScope.sites} from now on; not opened yet. */
  came: CaptureSite | undefined;
  /** No longer there; for the caller to dispose of. */
  gone: CaptureSite | undefined;
  /** What was wanted and not taken: a sentence each, with untrusted text. */
  refused: string[];
}

/** An interface where packets are captured. */
export interface CapturedInterface {
  /** Inode number of its network namespace. */
  netns: number;
  /** Its name, untrusted text; absent: all of the namespace. */
  interface?: string;
  /** Whether packets come from there now. */
  up: boolean;
}

/** The network namespaces that a trace captures in: always the own one, and those asked for. */
export class CaptureScope {
  /** Names of the interfaces, the same in every namespace; none: all. */
  readonly interfaces: readonly string[];
  /** The own namespace is the first. */
  readonly sites: CaptureSite[];
  /** Inode number of the own namespace. */
  readonly ownNetns: number;
  /** Those of the interfaces that are in none of the namespaces yet. */
  readonly awaited: readonly string[];
  readonly #watch: NamespaceWatch | undefined;
  readonly #othersMax: number;
  /** Why there are no more, for a sentence. */
  readonly #whyNoMore: string;
  // Found and not yet taken, gone and not yet let go: rings take time to open and to close, so each
  // look tells one.
  readonly #waiting: FoundNamespace[] = [];
  readonly #leaving: number[] = [];
  /** Those that could not be taken, each told once and tried again at each look. */
  readonly #refused = new Set<number>();
  /** Sentences not told yet. */
  #untold: string[] = [];

  /**
   * Finds what is to be captured now; opens no ring.
   *
   * @param interfaces Names of interfaces; none: all.
   * @param targets Other namespaces, see {@link NamespaceWatch}; none: only the own one.
   * @param options `othersMax`: how many others at most. `awaits`: whether an interface may come later.
   * @throws {UnknownTargetError} where there is no such namespace, or an interface in none of them that is
   *   not awaited.
   * @throws {Error} where so few files may be open that nothing can be captured: one line.
   * @throws {SystemCallError} EPERM where other namespaces were asked for and may not be entered.
   */
  constructor(
    interfaces: readonly string[],
    targets: NamespaceTargets,
    { othersMax = OTHERS_MAX, awaits = false }: { othersMax?: number; awaits?: boolean } = {},
  ) {
    this.interfaces = interfaces;
    const perSite = FILES_OF_SITE + FILES_OF_RING * Math.max(1, interfaces.length);
    const left = openFilesLeft();
    if (left < FILES_MIN) {
      throw new Error(
        `${countOf(left, "more file", "more files")} may be open, and a trace takes ${FILES_MIN} ` +
          "at least: raise that limit (ulimit -n)",
      );
    }
    const room = Math.max(0, Math.floor((left - FILES_LEFT) / perSite));
    this.#othersMax = Math.min(othersMax, room);
    this.#whyNoMore = `${countOf(this.#othersMax, "other is captured", "others are captured")}` +
      (room < othersMax ? ", as many as files may be open: raise that limit (ulimit -n)" : "");
    const own = NetworkNamespace.own();
    this.ownNetns = own.inode;
    this.sites = [new CaptureSite(own, `the own network namespace (${own.inode})`, true)];
    if (targets.length > 0) {
      NetworkNamespace.assertPermitted();
      this.#watch = new NamespaceWatch(targets, own.inode);
      this.#enqueue(this.#watch.look(performance.now())?.found ?? []);
      while (this.#waiting.length > 0) this.#takeOne();
    }
    this.awaited = interfaces.filter((name) =>
      this.sites.every((site) => site.indexOf(name) === undefined)
    );
    if (this.awaited.length > 0 && !awaits) throw this.#unknownInterface(this.awaited[0]);
  }

  /** Where packets are captured now: interfaces by name, or all of a namespace. */
  get captured(): CapturedInterface[] {
    return this.sites.flatMap(({ namespace, isOwn, interfaces, rings }) => {
      const netns = namespace.inode;
      if (this.interfaces.length === 0) return { netns, up: rings.length > 0 };
      // Most other namespaces have no such interface.
      return interfaces.filter(({ wasThere }) => isOwn || wasThere)
        .map(({ name, isUp }) => ({ netns, interface: name, up: isUp }));
    });
  }

  /** Whether other namespaces are captured too. */
  get hasOthers(): boolean {
    return this.#watch !== undefined;
  }

  /** Whether packets are captured in a network namespace. */
  captures(netns: number): boolean {
    return this.sites.some(({ namespace }) => namespace.inode === netns);
  }

  /** Namespaces that were wanted and not taken. */
  get refusals(): number {
    return this.#refused.size;
  }

  /** Has an unknown namespace looked for soon, because the kernel told of something in it. */
  hintNamespace(netns: number): void {
    this.#watch?.hintNamespace(netns);
  }

  /**
   * Gives up a site that cannot be captured in after all; it is for the caller to dispose of.
   *
   * @param reason For a sentence.
   */
  refuse(site: CaptureSite, reason: string): void {
    this.sites.splice(this.sites.indexOf(site), 1);
    this.#refuse(site.namespace.inode, site.words, reason);
  }

  /**
   * Looks for namespaces that came or went, where that is due: about once a second.
   *
   * @returns Undefined where it did not look and nothing waits.
   */
  look(): SiteChanges | undefined {
    const seen = this.#watch?.look(performance.now());
    if (seen !== undefined) {
      this.#enqueue(seen.found);
      this.#leaving.push(...seen.gone);
    }
    const isIdle = this.#waiting.length + this.#leaving.length + this.#untold.length === 0;
    if (seen === undefined && isIdle) return undefined;
    const came = this.#takeOne();
    const refused = this.#untold;
    this.#untold = [];
    return { came, gone: this.#releaseOne(), refused };
  }

  #enqueue(found: readonly FoundNamespace[]): void {
    for (const each of found) {
      // The own one is not counted.
      if (this.sites.length + this.#waiting.length <= this.#othersMax) this.#waiting.push(each);
      else this.#refuse(each.inode, wordsOf(each), this.#whyNoMore);
    }
  }

  /** @returns Undefined where none waits, and where it is gone or closed to this process. */
  #takeOne(): CaptureSite | undefined {
    const found = this.#waiting.shift();
    if (found === undefined) return undefined;
    const { inode, path } = found;
    let namespace: NetworkNamespace;
    try {
      namespace = NetworkNamespace.open(path);
    } catch (error) {
      if (!(error instanceof SystemCallError)) throw error;
      // The process has gone, maybe not its namespace.
      if (GONE.includes(error.errnoName)) this.#watch!.forget(inode);
      else this.#refuse(inode, wordsOf(found), error.message);
      return undefined;
    }
    if (namespace.inode !== inode) {
      // The process has gone, and its id is another's.
      this.#watch!.forget(inode);
      namespace[Symbol.dispose]();
      return undefined;
    }
    const site = new CaptureSite(namespace, wordsOf(found), false);
    this.#refused.delete(inode);
    this.sites.push(site);
    return site;
  }

  /** @returns Undefined where none is to go, and where it was never taken. */
  #releaseOne(): CaptureSite | undefined {
    const inode = this.#leaving.shift();
    const at = this.sites.findIndex(({ namespace }) => namespace.inode === inode);
    return at < 0 ? undefined : this.sites.splice(at, 1)[0];
  }

  #refuse(inode: number, words: string, reason: string): void {
    this.#watch?.forget(inode);
    if (this.#refused.has(inode)) return;
    this.#refused.add(inode);
    this.#untold.push(`Cannot capture in ${words}: ${reason}`);
  }

  #unknownInterface(name: string): UnknownTargetError {
    const names = this.sites.flatMap(({ namespace }) => namespace.run(listInterfaces))
      .map((known) => known.name);
    return new UnknownTargetError(
      `Cannot use --interface "${name}": there are ${[...new Set(names)].join(", ")}; ` +
        "with --interface-wait one that comes later is waited for",
    );
  }
}

function wordsOf({ inode, name, pid }: FoundNamespace): string {
  const whose = name === undefined ? `of process ${pid}` : `"${name}"`;
  return `the network namespace ${whose} (${inode})`;
}

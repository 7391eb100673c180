import { assertEquals, assertThrows } from "@std/assert";
import type { FoundNamespace } from "../../../../src/linux/netns/namespace_scan.ts";
import {
  type NamespaceChanges,
  type NamespaceFinder,
  NamespaceWatch,
  UnknownTargetError,
} from "../../../../src/linux/netns/namespace_watch.ts";

const OWN = 1;

/** A machine whose namespaces the test sets: by inode number, with a name or a process. */
class Machine implements NamespaceFinder {
  /** What each scan takes. */
  scanMs = 0;
  #usedMs = 0;
  readonly namespaces = new Map<number, FoundNamespace>();
  readonly mounted = new Set<number>();

  constructor(...namespaces: [inode: number, name: string | number][]) {
    this.add(OWN, 1);
    for (const [inode, name] of namespaces) this.add(inode, name);
  }

  add(inode: number, whose: string | number): void {
    const path = `/${whose}`;
    this.namespaces.set(
      inode,
      typeof whose === "string"
        ? { inode, path, name: whose, pid: undefined }
        : { inode, path, name: undefined, pid: whose },
    );
  }

  scan(): ReadonlyMap<number, FoundNamespace> {
    this.#usedMs += this.scanMs;
    return this.namespaces;
  }

  usedMs(): number {
    return this.#usedMs;
  }

  ofProcess(pid: number): number | undefined {
    return [...this.namespaces.values()].find((each) => each.pid === pid)?.inode;
  }

  isMounted(inode: number): boolean {
    return this.mounted.has(inode);
  }
}

/** A watch and its looks, a second after each other. */
function watch(machine: Machine, ...targets: string[]): {
  watch: NamespaceWatch;
  look(): { found: number[]; gone: number[] } | undefined;
} {
  const watch = new NamespaceWatch(targets, OWN, machine);
  let nowMs = 0;
  return {
    watch,
    look: () => {
      const changes: NamespaceChanges | undefined = watch.look(nowMs += 60_000);
      return changes && { found: changes.found.map(({ inode }) => inode), gone: changes.gone };
    },
  };
}

const NOTHING = { found: [], gone: [] };

Deno.test("NamespaceWatch finds what was asked for, each once and never the own one", () => {
  const cases: { targets: string[]; found: number[] }[] = [
    { targets: ["web"], found: [10] },
    { targets: ["web", "web", "db"], found: [10, 11] },
    { targets: ["500"], found: [12] },
    { targets: ["1"], found: [] },
    // A name wins over a process id.
    { targets: ["600"], found: [13] },
    { targets: ["all"], found: [10, 11, 12, 13, 14] },
    { targets: ["web", "all"], found: [10, 11, 12, 13, 14] },
  ];
  for (const { targets, found } of cases) {
    const machine = new Machine([10, "web"], [11, "db"], [12, 500], [13, "600"], [14, 600]);
    const { look } = watch(machine, ...targets);
    assertEquals([look(), look()], [{ found, gone: [] }, NOTHING], targets.join());
  }
});

Deno.test("NamespaceWatch refuses what is not there and says what is", () => {
  const cases: { targets: string[]; says: string }[] = [
    { targets: ["nope"], says: 'Cannot use --netns "nope"' },
    { targets: ["web", "../../proc/1/ns/net"], says: '"../../proc/1/ns/net"' },
    { targets: ["501"], says: "no process that id; there are db, web, or give all" },
    { targets: ["ALL"], says: '"ALL"' },
  ];
  for (const { targets, says } of cases) {
    const machine = new Machine([10, "web"], [11, "db"], [12, 500]);
    assertThrows(() => watch(machine, ...targets), UnknownTargetError, says);
  }
  assertThrows(() => watch(new Machine(), "x"), UnknownTargetError, "none has a name");
});

Deno.test("NamespaceWatch finds later ones: any of all, of a name the next one", () => {
  const machine = new Machine([10, "web"]);
  const all = watch(machine, "all");
  const web = watch(machine, "web");
  assertEquals([all.look()?.found, web.look()?.found], [[10], [10]]);
  machine.namespaces.delete(10);
  machine.add(20, "web");
  machine.add(21, 700);
  assertEquals([all.look()?.found, web.look()?.found], [[20, 21], [20]]);
});

Deno.test("NamespaceWatch tells of one as gone when two looks miss it and it is not mounted", () => {
  const machine = new Machine([10, "web"], [11, 500]);
  const { look } = watch(machine, "all");
  look();
  machine.namespaces.delete(10);
  assertEquals(look(), NOTHING);
  machine.add(10, 501);
  assertEquals(look(), NOTHING);
  machine.namespaces.delete(10);
  assertEquals([look(), look(), look()], [NOTHING, { found: [], gone: [10] }, NOTHING]);

  machine.mounted.add(11);
  machine.namespaces.delete(11);
  assertEquals([look(), look(), look()], [NOTHING, NOTHING, NOTHING]);
  machine.mounted.delete(11);
  assertEquals([look(), look()], [NOTHING, { found: [], gone: [11] }]);

  // The number is given out again.
  machine.add(10, "db");
  assertEquals(look(), { found: [10], gone: [] });
});

Deno.test("NamespaceWatch does not follow a number that a process had once", () => {
  const machine = new Machine([12, 500]);
  const { look } = watch(machine, "500");
  assertEquals(look()?.found, [12]);
  machine.namespaces.delete(12);
  assertEquals([look()?.gone, look()?.gone], [[], [12]]);
  machine.add(12, 500);
  assertEquals(look(), NOTHING);
});

Deno.test("NamespaceWatch finds again what could not be used", () => {
  const machine = new Machine([10, "web"]);
  const { watch: watching, look } = watch(machine, "all");
  assertEquals(look()?.found, [10]);
  watching.forget(10);
  assertEquals(look()?.found, [10]);
  assertEquals(look()?.found, []);
});

Deno.test("NamespaceWatch looks once a second, sooner for one that the kernel told of", () => {
  const machine = new Machine([10, "web"]);
  const watching = new NamespaceWatch(["all"], OWN, machine);
  const looked = (nowMs: number) => watching.look(nowMs) !== undefined;
  assertEquals([0, 1, 999, 1_000, 1_100, 1_999].map(looked), [
    ...[true, false, false, true, false, false],
  ]);
  // Known ones are no reason.
  watching.hintNamespace(OWN);
  watching.hintNamespace(10);
  assertEquals(looked(1_999), false);
  watching.hintNamespace(11);
  assertEquals([1_249, 1_250, 2_000].map((nowMs) => looked(nowMs)), [false, true, false]);
});

Deno.test("NamespaceWatch looks again soon for one that it missed", () => {
  const machine = new Machine([10, "web"]);
  const watching = new NamespaceWatch(["all"], OWN, machine);
  const gone = (nowMs: number) => watching.look(nowMs)?.gone;
  assertEquals(gone(0), []);
  machine.namespaces.delete(10);
  assertEquals([1_000, 1_249, 1_250, 1_500, 2_250].map(gone), [[], undefined, [10], undefined, []]);
});

Deno.test("NamespaceWatch takes half a percent of a CPU at most, and two in a hurry", () => {
  const machine = new Machine();
  const watching = new NamespaceWatch(["all"], OWN, machine);
  const looked = (nowMs: number) => watching.look(nowMs) !== undefined;
  machine.scanMs = 20;
  assertEquals([0, 3_999, 4_000].map(looked), [true, false, true]);
  watching.hintNamespace(11);
  assertEquals([4_999, 5_000, 5_001].map(looked), [false, true, false]);
});

Deno.test("NamespaceWatch takes no sighting where only some were asked for", () => {
  const watching = new NamespaceWatch(["web"], OWN, new Machine([10, "web"]));
  watching.look(0);
  watching.hintNamespace(11);
  assertEquals(watching.look(999), undefined);
});

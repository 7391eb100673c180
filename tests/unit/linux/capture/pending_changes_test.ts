import { assertEquals } from "@std/assert";
import { PendingChanges } from "../../../../src/linux/capture/pending_changes.ts";

Deno.test("PendingChanges hands out what holds by then, once and in its order", () => {
  const pending = new PendingChanges<{ fromNs: number; name: string }>();
  const taken = (untilNs: number) => {
    const names: string[] = [];
    pending.takeUntil(untilNs, ({ name }) => names.push(name));
    return [names, pending.nextNs];
  };
  assertEquals(taken(1_000), [[], Infinity]);
  for (const [fromNs, name] of [[200, "a"], [100, "b"], [300, "c"], [200, "d"]] as const) {
    pending.add({ fromNs, name });
  }
  assertEquals(pending.nextNs, 100);
  assertEquals(taken(99), [[], 100]);
  assertEquals(taken(200), [["a", "b", "d"], 300]);
  pending.add({ fromNs: 250, name: "e" });
  assertEquals(taken(250), [["e"], 300]);
  assertEquals(taken(Infinity), [["c"], Infinity]);
  assertEquals(taken(Infinity), [[], Infinity]);
});

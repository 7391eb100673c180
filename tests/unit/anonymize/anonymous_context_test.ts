import { assertEquals, assertMatch } from "@std/assert";
import { AnonymousContext } from "../../../src/anonymize/anonymous_context.ts";
import { Pseudonyms } from "../../../src/anonymize/pseudonyms.ts";
import type { RecordContext } from "../../../src/record/record_context.ts";

const NAMES = new Pseudonyms(new Uint8Array(32).fill(9));
const REAL: RecordContext = {
  host: "web1",
  hostId: "0123456789ab4def8123456789abcdef",
  tracer: "4242-1795395723000",
  interfaceName: (place) => ["", "lo", "eth0"][place] || undefined,
  netnsOf: (place) => place === 2 ? 4_026_531_840 : undefined,
  netnsName: (netns) => netns === 1 ? "" : netns === 2 ? "blue" : undefined,
  cgroupPath: (id) => id === 5 ? "/system.slice/shop.service" : undefined,
  container: (id) => [{ id: "3f9a".repeat(16), name: "shop" }, { id: "ab" }, { name: "db" }][id],
};

Deno.test("AnonymousContext says no name that the real one says", () => {
  const context = new AnonymousContext(REAL, NAMES);
  assertMatch(context.host, /^host-[0-9a-f]{10}$/);
  assertMatch(context.hostId!, /^(?!0123)[0-9a-f]{32}$/);
  assertEquals(context.tracer, "4242-1795395723000");
  assertEquals([0, 1].map((place) => context.interfaceName(place)), [undefined, "lo"]);
  assertMatch(context.interfaceName(2)!, /^if-[0-9a-f]{10}$/);
  assertEquals([1, 2].map((place) => context.netnsOf(place)), [undefined, 4_026_531_840]);
  assertEquals([1, 3].map((netns) => context.netnsName(netns)), ["", undefined]);
  assertMatch(context.netnsName(2)!, /^netns-[0-9a-f]{10}$/);
  assertEquals(context.cgroupPath(6), undefined);
  assertMatch(context.cgroupPath(5)!, /^\/[0-9a-f]{10}\/[0-9a-f]{10}$/);
  assertMatch(context.container(0)!.id!, /^(?!3f9a3f9a)[0-9a-f]{64}$/);
  assertMatch(context.container(0)!.name!, /^container-[0-9a-f]{10}$/);
  assertEquals(Object.keys(context.container(1)!), ["id"]);
  assertEquals(Object.keys(context.container(2)!), ["name"]);
  assertEquals(context.container(3), undefined);
});

Deno.test("AnonymousContext says nothing where the real one does not", () => {
  const context = new AnonymousContext({ host: "", interfaceName: () => undefined }, NAMES);
  assertEquals([context.hostId, context.tracer, context.netnsOf(1)], [
    undefined,
    undefined,
    undefined,
  ]);
  assertEquals([context.netnsName(1), context.cgroupPath(1), context.container(1)], [
    undefined,
    undefined,
    undefined,
  ]);
});

Deno.test("AnonymousContext takes the name of a run for what it is", () => {
  const tracer = "1-10.0.0.1";
  const context = new AnonymousContext({ ...REAL, tracer }, NAMES);
  assertMatch(context.tracer!, /^tracer-[0-9a-f]{10}$/);
});

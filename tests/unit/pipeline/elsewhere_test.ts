import { assertEquals } from "@std/assert";
import { Elsewhere, type ElsewhereOptions } from "../../../src/pipeline/elsewhere.ts";
import { FakeTime } from "./fake_time.ts";
import { Handshake } from "../../../src/match/handshake.ts";

function handshake(netns: number | undefined, wire = false): Handshake {
  return Object.assign(new Handshake(), { netns, wire, kernel: true });
}

const SECOND_NS = 1e9;

function elsewhereOf(options: Partial<ElsewhereOptions>): Elsewhere {
  return new Elsewhere({
    isCaptured: () => false,
    hasKernel: () => true,
    onHint: () => {},
    ...options,
  });
}

Deno.test("Elsewhere counts what the kernel alone saw in namespaces that are not captured", () => {
  const elsewhere = elsewhereOf({ isCaptured: (netns) => netns < 10 });
  elsewhere.take(handshake(1));
  elsewhere.take(handshake(undefined));
  // A router may see packets of another namespace's socket.
  elsewhere.take(handshake(11, true));
  assertEquals([elsewhere.handshakes, elsewhere.hint(0), elsewhere.hint(1e12)], [
    0,
    undefined,
    undefined,
  ]);
  elsewhere.take(handshake(11));
  elsewhere.take(handshake(11));
  assertEquals(elsewhere.handshakes, 2);
});

Deno.test("Elsewhere hints once, when a second has shown how many namespaces there are", () => {
  const cases: [namespaces: number, where: string][] = [
    [1, "another network namespace"],
    [2, "2 other network namespaces"],
    [4_096, "4096 other network namespaces"],
    [10_000, "more than 4096 other network namespaces"],
  ];
  for (const [namespaces, where] of cases) {
    const elsewhere = elsewhereOf({});
    elsewhere.take(handshake(1));
    assertEquals(elsewhere.hint(5 * SECOND_NS), undefined);
    for (let netns = 2; netns <= namespaces; netns++) elsewhere.take(handshake(netns));
    assertEquals(elsewhere.hint(6 * SECOND_NS - 1), undefined);
    assertEquals(
      elsewhere.hint(6 * SECOND_NS),
      `handshakes in ${where} are seen by the kernel alone; --netns all captures them`,
    );
    assertEquals(elsewhere.hint(9 * SECOND_NS), undefined);
    assertEquals(elsewhere.handshakes, namespaces);
  }
});

Deno.test("Elsewhere says its hint once, and tells a number where the kernel tells of others", () => {
  const hints: string[] = [];
  const time = new FakeTime();
  try {
    const elsewhere = elsewhereOf({ onHint: (sentence) => hints.push(sentence) });
    elsewhere.take(handshake(1));
    for (const ms of [0, 999, 1, 5_000]) {
      time.pass(ms);
      elsewhere.flush();
      if (ms === 999) assertEquals(hints, []);
    }
    assertEquals([hints.length, elsewhere.losses], [1, { uncaptured_handshakes: 1 }]);
  } finally {
    time.restore();
  }
  assertEquals(elsewhereOf({ hasKernel: () => false }).losses, {});
});

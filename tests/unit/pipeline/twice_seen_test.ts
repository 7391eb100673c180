import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { TwiceSeen } from "../../../src/pipeline/twice_seen.ts";
import { makeHandshake } from "../record/sample_handshakes.ts";

interface Seen {
  port?: number;
  isn?: number | undefined;
  seconds?: number;
  address?: string;
}

function seen({ port = 50_000, seconds = 0, address = "192.0.2.1", ...rest }: Seen = {}) {
  const isn = "isn" in rest ? rest.isn : 7;
  return makeHandshake({
    timeNs: seconds * 1e9,
    client: { address, port, isn },
    server: { address: "198.51.100.2", port: 443 },
  });
}

Deno.test("TwiceSeen knows a handshake that another host told before", () => {
  const twiceSeen = new TwiceSeen();
  assertEquals(["web1", "db1", "lb1"].map((host) => twiceSeen.take(seen(), host)), [
    false,
    true,
    true,
  ]);
  assertEquals(twiceSeen.repeated, 2);
});

Deno.test("TwiceSeen takes for another what differs in an address, a port or the number", () => {
  const twiceSeen = new TwiceSeen();
  twiceSeen.take(seen(), "web1");
  for (const other of [{ port: 50_001 }, { isn: 8 }, { address: "192.0.2.2" }]) {
    assertEquals(twiceSeen.take(seen(other), "db1"), false, JSON.stringify(other));
  }
});

Deno.test("TwiceSeen lets the clocks of two hosts differ by 120 s", () => {
  const cases = [
    { seconds: 0, isSame: true },
    { seconds: 120, isSame: true },
    { seconds: -120, isSame: true },
    { seconds: 121, isSame: false },
    { seconds: -121, isSame: false },
  ];
  for (const { seconds, isSame } of cases) {
    const twiceSeen = new TwiceSeen();
    twiceSeen.take(seen(), "web1");
    assertEquals(twiceSeen.take(seen({ seconds }), "db1"), isSame, String(seconds));
  }
});

Deno.test("TwiceSeen keeps apart what one host tells twice, and what has no number", () => {
  const twiceSeen = new TwiceSeen();
  assertEquals([twiceSeen.take(seen(), "web1"), twiceSeen.take(seen(), "web1")], [false, false]);
  const unsent = seen({ isn: undefined });
  assertEquals([twiceSeen.take(unsent, "web1"), twiceSeen.take(unsent, "db1")], [false, false]);
});

Deno.test("TwiceSeen forgets the oldest where there are too many, and counts them", () => {
  const twiceSeen = new TwiceSeen(4);
  for (let port = 1; port <= 6; port++) twiceSeen.take(seen({ port }), "web1");
  // Of one host alone that is no matter.
  assertEquals(twiceSeen.forgotten, 0);
  assertEquals([3, 4, 5, 6].map((port) => twiceSeen.take(seen({ port }), "db1")), [
    true,
    true,
    true,
    true,
  ]);
  assertEquals(twiceSeen.forgotten, 2);
  assertEquals([1, 2].map((port) => twiceSeen.take(seen({ port }), "db1")), [false, false]);
  assertEquals(twiceSeen.forgotten, 4);
});

Deno.test("TwiceSeen has nothing to hold against each other of tracers that ran in turn", () => {
  const twiceSeen = new TwiceSeen(4);
  for (let port = 1; port <= 6; port++) twiceSeen.take(seen({ port, seconds: port }), "web1 1-1");
  for (let port = 1; port <= 6; port++) {
    twiceSeen.take(seen({ port, seconds: 10 + port }), "web1 2-2");
  }
  assertEquals(twiceSeen.forgotten, 0);
  twiceSeen.take(seen({ port: 9, seconds: 6 }), "web1 2-2");
  assertEquals(twiceSeen.forgotten, 9);
});

Deno.test("TwiceSeen counts as a list of all would, however many there are", () => {
  const handshakes = fc.array(
    fc.record({
      port: fc.integer({ min: 1, max: 400 }),
      isn: fc.nat({ max: 2 }),
      host: fc.constantFrom("a", "b", "c"),
      seconds: fc.constantFrom(0, 100, 200, 1_000),
    }),
    { minLength: 200, maxLength: 6_000, size: "max" },
  );
  fc.assert(
    fc.property(handshakes, (all) => {
      const twiceSeen = new TwiceSeen();
      const last = new Map<string, { host: string; seconds: number }>();
      for (const { port, isn, host, seconds } of all) {
        const key = `${port} ${isn}`;
        const before = last.get(key);
        const isTwice = before !== undefined && before.host !== host &&
          Math.abs(before.seconds - seconds) <= 120;
        if (!isTwice) last.set(key, { host, seconds });
        assertEquals(twiceSeen.take(seen({ port, isn, seconds }), host), isTwice);
      }
      assertEquals(twiceSeen.forgotten, 0);
    }),
    { numRuns: 10 },
  );
});

Deno.test("TwiceSeen finds each of 20,000 again while it grows", () => {
  const twiceSeen = new TwiceSeen();
  for (let at = 0; at < 20_000; at++) twiceSeen.take(seen({ port: at & 0xffff, isn: at }), "web1");
  for (let at = 0; at < 20_000; at++) twiceSeen.take(seen({ port: at & 0xffff, isn: at }), "db1");
  assertEquals([twiceSeen.repeated, twiceSeen.forgotten], [20_000, 0]);
});

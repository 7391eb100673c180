import { assertEquals } from "@std/assert";
import type { Link } from "../../../../src/linux/netns/link_messages.ts";
import { TrackedInterface } from "../../../../src/linux/capture/tracked_interface.ts";

const UP: Link = { index: 2, name: "a", otherNames: [], isUp: true };
const DOWN: Link = { ...UP, isUp: false };
const LOOK_MS = 50;

/** A look: what is there, whether it was away in between, and how long the looks go on like that. */
interface Look {
  link?: Link;
  wasAway?: boolean;
  forMs?: number;
}

/** All that is told, and the gaps, of an interface that begins at 0 ms. */
function follow(begin: Link | undefined, looks: readonly Look[], where = "") {
  const tracked = new TrackedInterface("a", where, begin, 0);
  const told: string[] = [];
  let nowMs = 0;
  for (const { link, wasAway = false, forMs = LOOK_MS } of looks) {
    for (let elapsedMs = 0; elapsedMs < forMs; elapsedMs += LOOK_MS) {
      nowMs += LOOK_MS;
      tracked.take(link, wasAway && elapsedMs === 0, nowMs);
      const sentence = tracked.tell(nowMs);
      if (sentence !== undefined) told.push(sentence);
    }
  }
  const { gaps, gapsBeforeEnd, wasThere, index } = tracked;
  return { told, gaps, gapsBeforeEnd, wasThere, index };
}

Deno.test("TrackedInterface tells each change once and counts gaps", () => {
  const again = { ...UP, index: 5 };
  const goneText = '"a" is gone: nothing is captured until it is back';
  const cases: {
    what: string;
    begin?: Link;
    looks: readonly Look[];
    told: string[];
    gaps: number;
  }[] = [
    { what: "nothing happens", begin: UP, looks: [{ link: UP, forMs: 2_000 }], told: [], gaps: 0 },
    {
      what: "made again",
      begin: UP,
      looks: [{ link: DOWN }, { forMs: 1_000 }, { link: { ...again, isUp: false } }, {
        link: again,
        forMs: 2_000,
      }],
      told: [goneText, '"a" is back after 1.05 s: capturing on it again'],
      gaps: 1,
    },
    {
      what: "made again between two looks",
      begin: UP,
      looks: [{ link: again, forMs: 2_000 }],
      told: ['"a" is another interface now: capturing on that one'],
      gaps: 1,
    },
    {
      what: "made again and not set up",
      begin: UP,
      looks: [{ forMs: 100 }, { link: { ...again, isUp: false }, forMs: 2_000 }, {
        link: again,
        forMs: 1_000,
      }],
      told: [
        goneText,
        '"a" is back after 100 ms: capturing on it again',
        '"a" is down: nothing is captured until it is up',
        '"a" is up again after 2.10 s',
      ],
      gaps: 1,
    },
    {
      what: "down and up",
      begin: UP,
      looks: [{ link: DOWN, forMs: 1_000 }, { link: UP, forMs: 1_000 }],
      told: [
        '"a" is down: nothing is captured until it is up',
        '"a" is up again after 1.00 s',
      ],
      gaps: 1,
    },
    {
      what: "down for less than is told at once",
      begin: UP,
      looks: [{ link: DOWN, forMs: 200 }, { link: UP, forMs: 1_000 }],
      told: ['"a" was down for a moment'],
      gaps: 1,
    },
    {
      what: "down and up between two looks",
      begin: UP,
      looks: [{ link: UP, wasAway: true, forMs: 1_000 }],
      told: ['"a" was down for a moment'],
      gaps: 1,
    },
    {
      what: "renamed",
      begin: UP,
      looks: [{ link: { ...UP, name: "b" }, forMs: 1_000 }, { forMs: 100 }],
      told: [
        '"a" is called "b" now: capturing on it as before',
        '"b" is gone: nothing is captured until it is back',
      ],
      gaps: 1,
    },
    {
      what: "renamed and down meanwhile",
      begin: UP,
      looks: [
        { link: DOWN },
        { link: { ...DOWN, name: "b" } },
        { link: { ...UP, name: "b" }, forMs: 1_000 },
      ],
      told: ['"a" is called "b" now: capturing on it as before', '"b" was down for a moment'],
      gaps: 1,
    },
    {
      what: "down from the start",
      begin: DOWN,
      looks: [{ link: DOWN, forMs: 1_000 }, { link: UP, forMs: 1_000 }],
      told: [
        '"a" is down: nothing is captured until it is up',
        '"a" is up again after 1.05 s',
      ],
      gaps: 1,
    },
    {
      what: "awaited",
      looks: [{ forMs: 5_000 }, { link: DOWN }, { link: UP, forMs: 1_000 }],
      told: ['"a" is there now: capturing on it'],
      gaps: 0,
    },
    { what: "awaited in vain", looks: [{ forMs: 5_000 }], told: [], gaps: 0 },
  ];
  for (const { what, begin, looks, told, gaps } of cases) {
    const followed = follow(begin, looks);
    assertEquals([followed.told, followed.gaps], [told, gaps], what);
  }
});

Deno.test("TrackedInterface names the namespace where it is not the own one", () => {
  const { told } = follow(UP, [{}, { link: UP }], 'the network namespace "x" (12)');
  assertEquals(told, [
    '"a" in the network namespace "x" (12) is gone: nothing is captured until it is back',
    '"a" in the network namespace "x" (12) is back after 50.0 ms: capturing on it again',
  ]);
});

Deno.test("TrackedInterface counts no gap that lasts to the end of its namespace", () => {
  const gapsBeforeEnd = (begin: Link | undefined, ...looks: Look[]) =>
    follow(begin, looks).gapsBeforeEnd;
  assertEquals(gapsBeforeEnd(UP, { link: UP }), 0);
  assertEquals(gapsBeforeEnd(UP, { link: DOWN }, {}), 0);
  assertEquals(gapsBeforeEnd(UP, {}, { link: UP }), 1);
  assertEquals(gapsBeforeEnd(UP, {}, { link: UP }, {}), 1);
  assertEquals(gapsBeforeEnd(undefined, {}), 0);
  const { wasThere, index } = follow(undefined, [{}, { link: UP }]);
  assertEquals([wasThere, index], [true, 2]);
  assertEquals(follow(undefined, [{}]).wasThere, false);
});

import { assertEquals } from "@std/assert";
import {
  isActivated,
  ListenerHolders,
  parentOf,
} from "../../../../src/linux/listeners/listener_holders.ts";

const usedMs = () => performance.now();

function rethrow(error: unknown): never {
  throw error;
}

Deno.test("parentOf reads the parent behind any command name", () => {
  for (const comm of ["nginx", "a b", ")", ") S 1 2 (", "a\nb"]) {
    assertEquals(parentOf(`9001 (${comm}) S 812 9001 9001 0 -1 4194560`), 812, comm);
  }
  // A process that is gone.
  assertEquals(parentOf(""), 0);
});

Deno.test("isActivated wants the variable to name the process itself", () => {
  const cases = [
    { environ: "PATH=/bin\0LISTEN_PID=7\0LISTEN_FDS=1\0", expected: true },
    { environ: "LISTEN_PID=7", expected: true },
    // A child has its parent's.
    { environ: "LISTEN_PID=8\0", expected: false },
    { environ: "LISTEN_PID=77\0", expected: false },
    { environ: "XLISTEN_PID=7\0", expected: false },
    { environ: "", expected: false },
  ];
  for (const { environ, expected } of cases) assertEquals(isActivated(environ, 7), expected);
});

Deno.test("ListenerHolders has searched when the first search is over, whatever is due behind it", async () => {
  let searches = 0;
  const holders = new ListenerHolders(
    () => {
      searches++;
      // What takes so long at once has the next search, due already, put off for seconds.
      if (searches === 1) queueMicrotask(() => holders.search());
      const untilMs = performance.now() + 600;
      while (performance.now() < untilMs);
      return new Map();
    },
    rethrow,
    usedMs,
  );
  await holders.search();
  assertEquals(searches, 1);
  await holders.close();
  assertEquals(searches, 1);
});

Deno.test("ListenerHolders has searched anew when a later search is over", async () => {
  let searches = 0;
  const holders = new ListenerHolders(
    () => {
      searches++;
      return new Map();
    },
    rethrow,
    usedMs,
  );
  for (let time = 1; time <= 3; time++) {
    await holders.search();
    assertEquals(searches, time);
  }
  // Those who ask while none has begun are told of the same one.
  const [one, other] = [holders.search(), holders.search()];
  await Promise.all([one, other]);
  assertEquals(searches, 4);
  const last = holders.search();
  await Promise.all([last, holders.close()]);
});

Deno.test("ListenerHolders says of a socket that it is sought while it searches, no longer", async () => {
  const holders = new ListenerHolders(() => new Map(), rethrow, usedMs);
  assertEquals([holders.isSearching, holders.isSought(1)], [false, false]);
  const search = holders.search();
  assertEquals([holders.isSearching, holders.isSought(1)], [true, true]);
  await search;
  await holders.close();
  assertEquals([holders.isSearching, holders.isSought(1)], [false, false]);
});

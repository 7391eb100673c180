// Two ends in a guest whose kernel delays packets: a way that becomes slower while tracers run is named with
// its direction and size; what was always slow cannot be told from the clocks, which is said.
import { assert, assertEquals, assertGreater, assertLess, assertStringIncludes } from "@std/assert";
import { findPairs } from "../../src/store/pairs/find_pairs.ts";
import { lastOfClocks, pairTables } from "../../src/store/pairs/pair_text.ts";
import { compileC } from "../netns/compile.ts";
import { skippableTest } from "../netns/namespace.ts";
import { output } from "./command.ts";
import { DELAY_MS } from "./guest/delayed_network.ts";
import { guestEnvironment } from "./guest_environment.ts";
import { guestFiles, GUESTS } from "./guest_files.ts";
import { reasonAgainstGuests, runInGuest, SHARED } from "./vm.ts";

const ROOT = new URL("../..", import.meta.url).pathname;
const SCENARIO = "tests/vm/guest/delayed_pairs.ts";
const TIMEOUT_MS = 800_000;
/** An emulated machine is slow: the least of a few seconds differs by this. */
const EMULATION_NS = 2e6;
const SPAN_MS = 4_000;

skippableTest(
  "a way that becomes 5 ms slower is named with its direction, in Linux 6.12",
  await reasonAgainstGuests(),
  async () => {
    const files = await guestFiles(GUESTS.trixie);
    const shared = await Deno.makeTempDir({ prefix: "synsnoop-shared-" });
    try {
      await compileC(new URL("../netns/connect_load.c", import.meta.url), shared);
      await output([Deno.execPath(), "cache", "--quiet", SCENARIO, "src/main.ts"], ROOT);
      const result = await runInGuest(files, {
        words: [
          ...[Deno.execPath(), "test", "--no-prompt", "--no-check", "--allow-all", SCENARIO],
          ...["--", SHARED],
        ],
        cwd: ROOT,
        env: guestEnvironment(files),
        shared,
        timeoutMs: TIMEOUT_MS,
      });
      assertEquals(result.status, 0, `the guest says:\n${result.stdout}\n${result.stderr}`);
      await checkPairs(shared);
    } finally {
      await Deno.remove(shared, { recursive: true });
    }
  },
);

async function checkPairs(shared: string): Promise<void> {
  const { addedAtMs, addedMs } = JSON.parse(await Deno.readTextFile(`${shared}/added.json`));
  const nothing = () => {};
  const { paths, clocks, text } = await findPairs(
    {
      inputs: [`${shared}/client.ndjson`, `${shared}/server.ndjson`],
      filter: {},
      memoryBytes: 512e6,
      ...{ onFetch: nothing, onBegin: nothing, onProgress: nothing },
    },
    async (found) => {
      const [clocks, paths] = [await Array.fromAsync(found.clocks()), await found.paths()];
      return { paths, clocks, text: pairTables(paths, clocks.map(lastOfClocks)) };
    },
  );
  console.log(text);
  const [{ one, windows, changes }] = clocks;
  // Beside other guests an emulated machine may itself become slower for a while, by less.
  const large = changes.filter((change) => Math.abs(change.byNs) > addedMs * 1e6 - EMULATION_NS);
  assertEquals(large.length, 1, text);
  const [{ isToOther, byNs, atNs }] = large;
  assertEquals(isToOther ? one : "other", "client");
  assertLess(Math.abs(byNs - addedMs * 1e6), EMULATION_NS);
  assertLess(Math.abs(Number(atNs) / 1e6 - addedAtMs), 2 * SPAN_MS);
  // Both ends have one clock. The delay that was always there is within what is left open.
  for (const { offsetNs, uncertaintyNs, stepped } of windows) {
    assertEquals(stepped, false);
    assert(Math.abs(offsetNs) <= uncertaintyNs, `${offsetNs} ± ${uncertaintyNs}`);
    assertGreater(uncertaintyNs, DELAY_MS * 1e6 / 2);
  }
  assertGreater(paths[0].networkRttP50Ns!, DELAY_MS * 1e6);
  assertStringIncludes(text, "A delay of one direction that was always there cannot be told");
}

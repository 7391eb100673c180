/**
 * Runs the scenarios in a guest, as a test of this machine.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { parseJunitReport } from "../junit_report.ts";
import { compileC } from "../netns/compile.ts";
import { skippableTest } from "../netns/namespace.ts";
import { output } from "./command.ts";
import { guestEnvironment } from "./guest_environment.ts";
import { type Guest, guestFiles } from "./guest_files.ts";
import { reasonAgainstGuests, runInGuest, SHARED } from "./vm.ts";

const ROOT = new URL("../..", import.meta.url).pathname;
const SCENARIOS = "tests/vm/guest/scenarios.ts";
/** Measured: ten minutes alone on a processor, nearly twice that where others want it too. */
const TIMEOUT_MS = 2_400_000;

/** Registers the test of a guest, ignored with the reason where this machine runs none. */
export async function guestTest(guest: Guest): Promise<void> {
  skippableTest(
    guest.kernel === ""
      ? `trace in the newest Linux and with the newest bpftrace of Debian ${guest.suite}`
      : `trace in Linux ${guest.kernel}x with bpftrace ${guest.bpftrace}x`,
    await reasonAgainstGuests(),
    (context) => runScenarios(guest, context),
  );
}

async function runScenarios(guest: Guest, context: Deno.TestContext): Promise<void> {
  const files = await guestFiles(guest);
  assertEquals(files.release.slice(0, guest.kernel.length), guest.kernel);
  const shared = await Deno.makeTempDir({ prefix: "synsnoop-shared-" });
  try {
    await compileC(new URL("../netns/connect_load.c", import.meta.url), shared);
    // Translated here, where that is fast: the guest finds it in this machine's cache.
    await output([Deno.execPath(), "cache", "--quiet", SCENARIOS, "src/main.ts"], ROOT);
    const result = await runInGuest(files, {
      words: [
        ...[Deno.execPath(), "test", "--no-prompt", "--no-check", "--allow-all"],
        ...[`--junit-path=${SHARED}/report.xml`, SCENARIOS, "--"],
        ...[SHARED, files.release, guest.bpftrace, guest.resetReasons ? "reset-reasons" : ""],
      ],
      cwd: ROOT,
      env: guestEnvironment(files),
      shared,
      timeoutMs: TIMEOUT_MS,
    });
    const said = `${result.stdout}\n${result.stderr}`;
    assertEquals(result.status, 0, `the tests in the guest say:\n${said}`);
    // What was tried again, and how long it took to attach.
    console.log(result.stderr);
    // One step each, so that they are counted and named here.
    const cases = parseJunitReport(await Deno.readTextFile(`${shared}/report.xml`));
    for (const { name, result } of cases) {
      await context.step(name, () => assertEquals(result, "passed"));
    }
  } finally {
    await Deno.remove(shared, { recursive: true });
  }
}

// Debian 13 on arm64, on demand: fetched and emulated for a few minutes where SYNSNOOP_ARM64 is set.
import { assertEquals } from "@std/assert";
import { parseJunitReport } from "../junit_report.ts";
import { skippableTest } from "../netns/namespace.ts";
import { arm64Files, DENO_FOLDER } from "./arm64_files.ts";
import { output } from "./command.ts";
import { reasonAgainstGuests, runInGuest, SHARED } from "./vm.ts";

const ROOT = new URL("../..", import.meta.url).pathname;
/** What the guest runs of the repository. */
const CHECKOUT = ["bpf", "src", "deno.json", "deno.lock", "mod.ts"];
const TESTS = ["tests/netns", "tests/unit/record", "tests/vm/guest"];
const TIMEOUT_MS = 1_800_000;

const reason = Deno.env.get("SYNSNOOP_ARM64")
  ? await reasonAgainstGuests()
  : "on demand: set SYNSNOOP_ARM64=1";

skippableTest("trace in Debian 13 on arm64", reason, async (context) => {
  const files = await arm64Files("trixie");
  const shared = await Deno.makeTempDir({ prefix: "synsnoop-shared-" });
  try {
    for (const room of ["unit", "vm"]) {
      await Deno.mkdir(`${shared}/checkout/tests/${room}`, { recursive: true });
    }
    for (const path of [...CHECKOUT, ...TESTS]) {
      await output(["cp", "-r", path, `${shared}/checkout/${path}`], ROOT);
    }
    const result = await runInGuest(files, {
      words: [
        ...["deno", "test", "--no-prompt", "--no-check", "--allow-all"],
        ...[`--junit-path=${SHARED}/report.xml`, "tests/vm/guest/arm64.ts", "--", files.release],
      ],
      cwd: `${SHARED}/checkout`,
      env: {
        PATH: `${DENO_FOLDER}:/usr/sbin:/usr/bin:/sbin:/bin`,
        ...{ HOME: "/root", NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
      },
      shared,
      timeoutMs: TIMEOUT_MS,
    });
    const said = `${result.stdout}\n${result.stderr}`;
    assertEquals(result.status, 0, `the tests in the guest say:\n${said}`);
    for (
      const { name, result } of parseJunitReport(await Deno.readTextFile(`${shared}/report.xml`))
    ) {
      await context.step(name, () => assertEquals(result, "passed"));
    }
  } finally {
    await Deno.remove(shared, { recursive: true });
  }
});

import { assert, assertEquals } from "@std/assert";
import { namespaceTest, reasonAgainstNamespaces, skippableTest } from "./namespace.ts";

const FOLDER = new URL("../..", import.meta.url).pathname;
const RUN = new URL("../bench/run.ts", import.meta.url).pathname;

async function bench(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "-A", RUN, ...args],
    stdin: "null",
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

await namespaceTest("bench measures every row whose programs are there", async () => {
  const output = await Deno.makeTempDir({ prefix: "synsnoop-bench-test-" });
  try {
    const { code, stdout, stderr } = await bench("--quick", "--output", output);
    assertEquals(code, 0, stdout + stderr);
    const { answers } = JSON.parse(await Deno.readTextFile(`${output}/bench.json`));
    assert(answers.length > 10);
    for (const { name, failure, figures } of answers) {
      if (failure !== undefined) {
        assert(failure.endsWith(" is not installed"), `${name}: ${failure}`);
        continue;
      }
      assert(figures.length > 0, name);
      for (const { name: figure, values, note } of figures) {
        assert(values.length > 0 || note !== undefined, `${name}: ${figure}`);
        assert(values.every(Number.isFinite), `${name}: ${figure}: ${values}`);
      }
    }
    assertEquals(stdout.trim(), (await Deno.readTextFile(`${output}/bench.md`)).trim());
  } finally {
    await Deno.remove(output, { recursive: true });
  }
});

Deno.test("bench refuses what it does not know", async () => {
  const unknown = [["--row", "none"], ["--fast"], ["--output", ""], ["--against", ""]];
  for (const args of [...unknown, ["--against", "HEAD", "--row", "bulk"]]) {
    const { code, stdout, stderr } = await bench(...args);
    assertEquals([code, stdout], [2, ""]);
    assert(stderr.startsWith("Cannot run the benchmark: "), stderr);
  }
});

async function isRepository(): Promise<boolean> {
  try {
    return (await new Deno.Command("git", { args: ["rev-parse", "HEAD"], cwd: FOLDER }).output())
      .success;
  } catch {
    return false;
  }
}

const notComparable = await isRepository() ? undefined : "this is no git repository";

skippableTest(
  "bench compares this version with another in every row that can",
  notComparable ?? await reasonAgainstNamespaces(),
  async () => {
    const output = await Deno.makeTempDir({ prefix: "synsnoop-bench-test-" });
    try {
      const { code, stderr } = await bench("--quick", "--against", "HEAD", "--output", output);
      assertEquals(code, 0, stderr);
      const { answers, against } = JSON.parse(await Deno.readTextFile(`${output}/bench.json`));
      assertEquals(against, "HEAD");
      assert(answers.length >= 9, `${answers.length}`);
      for (const { name, failure, figures } of answers) {
        assertEquals(failure, undefined, name);
        const [ratio, here, other] = figures;
        assertEquals(ratio.unit, "ratio", name);
        // Less is better of all but of rates, whose name says so.
        const better = ratio.name.endsWith("this version / the other")
          ? here.values[0] / other.values[0]
          : other.values[0] / here.values[0];
        assertEquals(ratio.values[0], better, name);
        // How much is no matter of one short pair.
        assert(better > 0 && Number.isFinite(better), `${name}: ${better}`);
      }
    } finally {
      await Deno.remove(output, { recursive: true });
    }
  },
);

skippableTest("bench says that there is no such version", notComparable, async () => {
  const { code, stdout, stderr } = await bench("--quick", "--against", "no-such-version");
  assertEquals([code, stdout], [1, ""]);
  assert(stderr.includes('Cannot take out version "no-such-version": '), stderr);
});

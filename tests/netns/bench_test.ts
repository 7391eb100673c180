import { assert, assertEquals } from "@std/assert";
import { namespaceTest } from "./namespace.ts";

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
  for (const args of [["--row", "none"], ["--fast"], ["--output", ""]]) {
    const { code, stdout, stderr } = await bench(...args);
    assertEquals([code, stdout], [2, ""]);
    assert(stderr.startsWith("Cannot run the benchmark: "), stderr);
  }
});

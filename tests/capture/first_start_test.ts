// What the first start of a task fetches, where Deno's cache is empty.
import { assertEquals } from "@std/assert";

const SOURCE = new URL("../..", import.meta.url).pathname;

Deno.test("deno task --node-modules-dir=manual fetches nothing", async () => {
  const cache = await Deno.makeTempDir({ prefix: "synsnoop-cache-" });
  try {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["task", "--quiet", "--node-modules-dir=manual", "schema"],
      cwd: SOURCE,
      // Who asks a registry there gets no answer.
      env: { DENO_DIR: cache, NPM_CONFIG_REGISTRY: "http://127.0.0.1:1/" },
    }).output();
    assertEquals(new TextDecoder().decode(stderr), "");
    assertEquals([code, JSON.parse(new TextDecoder().decode(stdout)).title !== undefined], [
      0,
      true,
    ]);
  } finally {
    await Deno.remove(cache, { recursive: true });
  }
});

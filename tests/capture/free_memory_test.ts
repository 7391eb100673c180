// Covers src/linux/free_memory.ts
import { assert, assertGreater, assertLess } from "@std/assert";

const MODULE = new URL("../../src/linux/free_memory.ts", import.meta.url).href;

/** What a program says that has the functions at hand. */
async function said(program: string, ...flags: string[]): Promise<string> {
  const functions = `import { collectOnceStarted, handBackFreed } from ${JSON.stringify(MODULE)};`;
  const { stdout, stderr, success } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--quiet", ...flags, functions + program],
  }).output();
  assert(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).trim();
}

/** Frees a large piece, then many small ones; says how many MB of those stay resident. */
const FREE_MANY = `
  const { malloc, memset, free } = Deno.dlopen("libc.so.6", {
    malloc: { parameters: ["usize"], result: "pointer" },
    memset: { parameters: ["pointer", "i32", "usize"], result: "pointer" },
    free: { parameters: ["pointer"], result: "void" },
  }).symbols;
  free(malloc(30_000_000n));
  const before = Deno.memoryUsage().rss;
  const pieces = Array.from({ length: 200 }, () => memset(malloc(100_000n), 1, 100_000n));
  for (const piece of pieces) free(piece);
  console.log((Deno.memoryUsage().rss - before) / 1e6);`;

Deno.test("handBackFreed has glibc hand back what it keeps by itself", async () => {
  assertGreater(Number(await said(FREE_MANY)), 15);
  assertLess(Number(await said(`handBackFreed(); ${FREE_MANY}`)), 5);
});

/** Lets go of many old objects; says how many MB of them V8 collected once it was asked to. */
const LEAVE_GARBAGE = `
  let objects = Array.from({ length: 300_000 }, (_, at) => ({ at }));
  objects = undefined;
  const before = Deno.memoryUsage().heapUsed;
  const giveUp = setTimeout(() => console.log(0), 60_000);
  const { gc } = globalThis;
  globalThis.gc = (options) => {
    gc(options);
    clearTimeout(giveUp);
    console.log((before - Deno.memoryUsage().heapUsed) / 1e6);
  };
  collectOnceStarted();`;

Deno.test("collectOnceStarted collects garbage, where V8 lets it", async () => {
  assertGreater(Number(await said(LEAVE_GARBAGE, "--v8-flags=--expose-gc")), 5);
});

Deno.test("collectOnceStarted does nothing where V8 does not let it, and holds up nobody", async () => {
  const says = await said(
    `collectOnceStarted(); addEventListener("unload", () => console.log("left"));`,
  );
  assert(says === "left", says);
});

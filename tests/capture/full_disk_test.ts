// Commands that print a text where nothing can be written.
import { assertEquals, assertMatch } from "@std/assert";
import { Folder } from "../folder.ts";

const MAIN = new URL("../../src/main.ts", import.meta.url).pathname;
const RECORDS = new URL("../golden/handshakes.ndjson", import.meta.url).pathname;

/** Runs the tool by a shell, which does with its standard output what stands in `to`. */
async function runTo(to: string, args: readonly string[], env: Record<string, string> = {}) {
  const { code, stderr } = await new Deno.Command("bash", {
    args: ["-c", `"$0" run -A --quiet "$@" ${to}`, Deno.execPath(), MAIN, ...args],
    env: { LC_ALL: "C.UTF-8", ...env },
    stdin: "null",
  }).output();
  return { status: code, said: new TextDecoder().decode(stderr) };
}

const PRINTING: readonly string[][] = [
  ["--version"],
  ["help"],
  ["trace", "--help"],
  ["schema"],
  ["explain", RECORDS],
  ["query", RECORDS, "servers", "--explain-sql"],
];

for (const args of PRINTING) {
  Deno.test(`"${args[0]}" says that a full disk took nothing, and leaves no words for a closed output`, async () => {
    const full = await runTo(">/dev/full", args);
    assertEquals(full.status, 1);
    assertMatch(
      full.said,
      /^synsnoop: Cannot write to standard output: No space left on device .*\n$/,
    );
    const closed = await runTo("| true", args);
    assertEquals(closed.said, "");
  });
}

Deno.test("report says that a full disk took no page", async () => {
  const { status, said } = await runTo(">/dev/full", ["report", RECORDS]);
  assertEquals(status, 1);
  assertMatch(
    said,
    /^synsnoop: Cannot write the page to standard output: No space left on device /,
  );
});

Deno.test("query says that there is no place for temporary files", async () => {
  using folder = new Folder();
  const env = { TMPDIR: `${folder.path}/none` };
  const { status, said } = await runTo("", ["query", RECORDS, "servers"], env);
  assertEquals(status, 1);
  assertMatch(
    said,
    /^synsnoop: Cannot make a folder for temporary files: .*; let TMPDIR name one where this user may write\n$/m,
  );
});

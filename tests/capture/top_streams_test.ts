// `top` without a screen, on a terminal that takes nothing, and its sums.
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { findExecutable } from "../../src/linux/host.ts";
import { saveHandshakes } from "../../src/output/top/save.ts";
import { skippableTest, until } from "../netns/namespace.ts";
import { sampleMinute, sampleModel } from "../unit/output/top/sample_top.ts";
import { PseudoTerminal } from "./pseudo_terminal.ts";
import { seedFiles } from "./seed_captures.ts";

const MAIN = new URL("../../src/main.ts", import.meta.url).pathname;
const folder = await Deno.makeTempDir({ prefix: "synsnoop-top-" });
globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
const RECORDS = saveHandshakes(sampleModel(sampleMinute()).latest());

async function run(args: readonly string[], input = ""): Promise<{
  code: number;
  stdout: string;
  stderr: string;
}> {
  const child = new Deno.Command("setsid", {
    args: ["-w", Deno.execPath(), "run", "--quiet", "-A", MAIN, ...args],
    env: { LC_ALL: "C.UTF-8" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  const fed = writer.write(new TextEncoder().encode(input)).then(() => writer.close())
    .catch(() => {});
  const { code, stdout, stderr } = await child.output();
  await fed;
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

const NO_SETSID = findExecutable("setsid") === undefined ? 'no "setsid"' : undefined;

skippableTest("top says that there is no terminal, and what to use", NO_SETSID, async () => {
  const { code, stdout, stderr } = await run(["top", "-"], RECORDS);
  assertEquals([code, stdout], [2, ""]);
  assertMatch(stderr, /^synsnoop: Cannot show a screen without a terminal \(\/dev\/tty: No such/);
  assertStringIncludes(stderr, "use synsnoop top --interval 10s, or synsnoop trace --stats");
});

/** Names, counts and failures of plain tables. */
function rowsOf(table: string): [name: string, handshakes: number, failed: number][] {
  return table.split("\n").slice(4).flatMap((line) => {
    const [name, handshakes, , failed] = line.trim().split(/ {2,}| (?=\d)/);
    return failed === undefined ? [] : [[name, Number(handshakes), Number(failed)]];
  });
}

for (
  const { name, bytes } of [
    { name: "records", bytes: new TextEncoder().encode(RECORDS + RECORDS) },
    ...seedFiles().slice(0, 3),
  ]
) {
  skippableTest(`top has the sums of --stats: ${name}`, NO_SETSID, async () => {
    const file = `${folder}/${name}`;
    await Deno.writeFile(file, bytes);
    const stats = await run(["read", "--stats", "--json", "--top", "1000", file]);
    const statistics = JSON.parse(stats.stdout);
    for (const [grouping, key] of [["server", "servers"], ["client", "clients"]] as const) {
      const { stdout, code } = await run([
        ...["top", "--interval", "1h", "--quit-at-end", "--top", "1000", "--group", grouping],
        ...["--sort", "name", file],
      ]);
      assertEquals(code, 0);
      assertMatch(stdout, new RegExp(`^${statistics.handshakes} handshakes? `, "m"));
      type Named =
        & Record<"server" | "client", string>
        & Record<"handshakes" | "established", number>;
      const wanted = (statistics[key].top as Named[])
        .map(({ handshakes, established, ...named }) => [
          named[grouping],
          handshakes,
          handshakes - established,
        ]);
      const byName = (one: unknown[], two: unknown[]) => String(one[0]) < String(two[0]) ? -1 : 1;
      const clipped = wanted.map(([name, ...counts]) => [String(name).slice(0, 14), ...counts]);
      const shown = rowsOf(stdout).map(([name, ...counts]) => [name.slice(0, 14), ...counts]);
      assert(shown.length > 0);
      assertEquals(shown.sort(byName), clipped.sort(byName));
    }
  });
}

skippableTest(
  "top writes plain tables as often as is asked for, while it reads",
  NO_SETSID,
  async () => {
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "-A", MAIN, "top", "--interval", "1s", "-"],
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const writer = child.stdin.getWriter();
    let text = "";
    const read = (async () => {
      for await (const part of child.stdout.pipeThrough(new TextDecoderStream())) text += part;
    })();
    await writer.write(new TextEncoder().encode(RECORDS));
    await until("a table", () => text.includes("945 handshakes"));
    await writer.write(new TextEncoder().encode(RECORDS + "no record\n"));
    await until("another", () => /1890 handshakes .*lost: 1/.test(text));
    await writer.close();
    await read;
    assertEquals((await child.status).code, 1);
  },
);

skippableTest("top waits for no terminal: what comes is read, and it ends", NO_SETSID, async () => {
  using terminal = new PseudoTerminal(200, 60);
  const [pipe, said] = [`${folder}/pipe`, `${folder}/said`];
  await new Deno.Command("mkfifo", { args: [pipe] }).output();
  const opening = Deno.open(pipe, { write: true });
  const top = `exec "$0" run --quiet -A ${MAIN} top --quit-at-end ${pipe} 2>${said}`;
  const child = terminal.spawn(["sh", "-c", top, Deno.execPath()], { stderr: "null" });
  {
    using file = await opening;
    const writer = file.writable.getWriter();
    await writer.write(new TextEncoder().encode(RECORDS));
    // Nobody reads: at some time the terminal takes no more, whatever is drawn anew.
    let [unread, times] = [0, 0];
    await until("a terminal that is full", async () => {
      terminal.type("\x0c");
      await new Promise((resolve) => setTimeout(resolve, 100));
      times = terminal.unread === unread && unread > 1_000 ? times + 1 : 0;
      unread = terminal.unread;
      return times >= 5;
    });
    // Far more than the pipe holds.
    for (let nth = 0; nth < 20; nth++) await writer.write(new TextEncoder().encode(RECORDS));
    await writer.close();
  }
  const { code } = await child.status;
  assertEquals(code, 0);
  assertStringIncludes(await Deno.readTextFile(said), `${21 * 945} handshakes`);
});

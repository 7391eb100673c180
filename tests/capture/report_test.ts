// Covers src/cli/report.ts
// Covers src/cli/open_report.ts
// Covers src/files/whole_file.ts
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { PageData } from "../../src/output/report/page_data.ts";
import { CAPTURE } from "../golden/sample_capture.ts";

const MAIN = new URL("../../src/main.ts", import.meta.url).pathname;
const RECORDS = new URL("../golden/handshakes.ndjson", import.meta.url).pathname;
const REPORT = ["run", "-A", "--quiet", MAIN, "report"];

/** Runs it with some bytes on standard input. */
async function report(args: readonly string[], input: Uint8Array = new Uint8Array(0)) {
  const child = new Deno.Command(Deno.execPath(), {
    args: [...REPORT, ...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  const fed = writer.write(input).then(() => writer.close()).catch(() => {});
  const { code, stdout, stderr } = await child.output();
  await fed;
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, page: text(stdout), said: text(stderr) };
}

function dataOf(page: string): PageData {
  return JSON.parse(/<script type="application\/json" id="data">(.*?)<\/script>/s.exec(page)![1]);
}

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "synsnoop-report-" });
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("report makes a page of a capture on standard input, for a pipe", async () => {
  const { code, page, said } = await report(["-"], CAPTURE);
  assertEquals(code, 0, said);
  assert(page.startsWith("<!doctype html>"));
  assertEquals(dataOf(page).handshakes, Number(/^(\d+) handshakes/m.exec(said)![1]));
});

Deno.test("report writes a file as a whole, for its owner and group, and no other one", async () => {
  await inFolder(async (folder) => {
    const output = `${folder}/page.html`;
    const { code, page, said } = await report([RECORDS, "--output", output, "--port", "443"]);
    assertEquals([code, page], [0, ""], said);
    const { about } = dataOf(await Deno.readTextFile(output));
    assertStringIncludes(about.find(([name]) => name === "filters")![1], "--port 443 (");
    assertEquals((await Deno.stat(output)).mode! & 0o777 & ~0o022, 0o640 & ~Deno.umask());
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), ["page.html"]);
  });
});

Deno.test("report replaces a page only where it is told to, and a link itself", async () => {
  await inFolder(async (folder) => {
    const output = `${folder}/page.html`;
    await Deno.writeTextFile(`${folder}/other`, "kept");
    await Deno.symlink(`${folder}/other`, output);
    const refused = await report([RECORDS, "--output", output]);
    assertEquals(refused.code, 2);
    assertEquals(
      refused.said,
      `synsnoop: Cannot use --output "${output}": it exists already; give --force to replace it, or ` +
        "another file\n",
    );
    assertEquals((await report([RECORDS, "--output", output, "--force"])).code, 0);
    assert((await Deno.lstat(output)).isFile);
    assertEquals(await Deno.readTextFile(`${folder}/other`), "kept");
    assertEquals((await report([RECORDS, "--output", output, "--force"])).code, 0);
  });
});

Deno.test("report refuses an output that it cannot write, or reads, before it reads", async () => {
  await inFolder(async (folder) => {
    await Deno.copyFile(RECORDS, `${folder}/records`);
    for (
      const [output, reason] of [
        [folder, "it is a folder"],
        [`${folder}/none/page.html`, "its folder is not there"],
        [`${folder}/records`, "which is in use already"],
      ]
    ) {
      const { code, said } = await report([`${folder}/records`, "--force", "--output", output]);
      assertEquals(code, 2, said);
      assertStringIncludes(said, reason);
      assertEquals(said.split("\n").length, 2);
    }
    assertEquals(await Deno.readTextFile(`${folder}/records`), await Deno.readTextFile(RECORDS));
  });
});

Deno.test("report writes through a FIFO or a device, which has nothing to replace", async () => {
  await inFolder(async (folder) => {
    const fifo = `${folder}/fifo`;
    assert((await new Deno.Command("mkfifo", { args: [fifo] }).output()).success);
    const reading = Deno.readTextFile(fifo);
    const { code, said } = await report([RECORDS, "--output", fifo]);
    assertEquals(code, 0, said);
    assert((await reading).endsWith("</html>\n"));
    assertEquals((await report([RECORDS, "--output", "/dev/null"])).code, 0);
  });
});

Deno.test("report says that nothing matches, and writes no page", async () => {
  await inFolder(async (folder) => {
    const output = `${folder}/page.html`;
    const args = [RECORDS, "--output", output, "--comm", "nobody"];
    const { code, said } = await report(args);
    assertEquals(code, 1);
    assertEquals(
      said,
      "synsnoop: Cannot make a page: no handshake matches; 15 records were read\n",
    );
    assertEquals((await report([...args, "--exit-status"])).code, 4);
    assertEquals([...Deno.readDirSync(folder)], []);
  });
});

Deno.test("report tells of torn lines, makes a page of the others, and says first what it lacks", async () => {
  const records = (await Deno.readTextFile(RECORDS)).trimEnd();
  const torn = `${records.slice(0, -20)}\n{"v":1,"ev\n`;
  const { code, page, said } = await report(["-"], new TextEncoder().encode(torn));
  assertEquals(code, 1);
  assertStringIncludes(said, "2 of its lines are no records (2 no JSON)");
  const { missing, handshakes } = dataOf(page);
  assertEquals([missing, handshakes], [["Lost: 2 lines of NDJSON that are no records."], 14]);
});

Deno.test("report makes no page of what cannot be read at all", async () => {
  const { code, page, said } = await report(["/nonexistent.pcap"]);
  assertEquals([code, page], [1, ""]);
  assertStringIncludes(said, 'Cannot read "/nonexistent.pcap": ');
});

Deno.test("report writes no page to a terminal", async () => {
  const command = [Deno.execPath(), ...REPORT, RECORDS].map((word) => `'${word}'`).join(" ");
  const { code, stdout } = await new Deno.Command("script", {
    args: ["-qec", command, "/dev/null"],
    stdin: "null",
  }).output();
  assertEquals(code, 2);
  assertEquals(
    new TextDecoder().decode(stdout).trim(),
    "synsnoop: Cannot write a page to a terminal, which shows none: give --output page.html",
  );
});

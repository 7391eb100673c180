// `top` on a terminal that keeps a screen: what it shows, what keys do, and that it gives the terminal
// back in every way to end.
// Covers src/cli/top.ts
// Covers src/cli/process/screen_terminal.ts
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { saveHandshakes } from "../../src/output/top/save.ts";
import { skippableTest, until } from "../netns/namespace.ts";
import { CAPTURE } from "../golden/sample_capture.ts";
import { sampleMinute, sampleModel } from "../unit/output/top/sample_top.ts";
import { NO_TMUX, Tmux } from "./tmux.ts";

const MAIN = new URL("../../src/main.ts", import.meta.url).pathname;
const TOP = `${Deno.execPath()} run --quiet -A ${MAIN} top`;
const folder = await Deno.makeTempDir({ prefix: "synsnoop-top-" });
globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));

const RECORDS = saveHandshakes(sampleModel(sampleMinute()).latest());
const FILE = `${folder}/a.ndjson`;
await Deno.writeTextFile(FILE, RECORDS);
/** With all of them read. */
const TABLE = /^945 handshakes[^]*^>?.*10\.0\.0\.5:5432 +480 /m;

/** How a terminal is before, and must be behind. */
const AS_BEFORE = { alternateScreen: false, cursor: true, mouse: false, wraps: true };

/** Starts it with the state of the terminal remembered, and told at the end beside the status. */
async function startTop(tmux: Tmux, args: string, deno = TOP): Promise<void> {
  await tmux.run(
    `B=$(stty -g); ${deno} ${args}; echo "STATUS=$? $([ "$B" = "$(stty -g)" ] && echo AS BEFORE)"`,
  );
  await tmux.shows(TABLE);
}

async function endedWell(tmux: Tmux, status = 0): Promise<string[]> {
  const lines = await tmux.shows(/STATUS=\d+/);
  assertMatch(lines.join("\n"), new RegExp(`STATUS=${status} AS BEFORE`));
  assertEquals(await tmux.modes(), AS_BEFORE);
  return lines;
}

skippableTest("top shows groups, their handshakes and a ladder, and filters", NO_TMUX, async () => {
  await using tmux = await Tmux.start(100, 30);
  await startTop(tmux, FILE);
  assertEquals(await tmux.modes(), {
    alternateScreen: true,
    cursor: false,
    mouse: true,
    wraps: false,
  });
  // A burst, more than fits one read: the last ones count.
  await tmux.type("\x1b[B".repeat(1_500) + "\x1b[A\x1b[A" + "2g\x1b[B\r");
  await tmux.shows(/^server \S+, latest: \d+ kept$/m);
  await tmux.type("\r");
  await tmux.shows(/^TCP handshake: established$/m);
  await tmux.shows(/├── \[SYN\] Seq=0x4ce45750/);
  await tmux.type("\x1b");
  await tmux.shows(/latest: \d+ kept/);
  await tmux.type("\x1b");
  await tmux.shows(TABLE);
  await tmux.type("/");
  // A paste is text, whatever is in it.
  await tmux.paste("--failed\n--server-port 6379\nq");
  await tmux.shows(/^\/--failed --server-port 6379 q/m);
  await tmux.type("\x7f\r");
  const filtered = await tmux.shows(/60 of 945 handshakes/);
  assertStringIncludes(filtered.join("\n"), "filter --failed --server-port 6379");
  // Ctrl-U takes the name away that is proposed.
  const saved = `${folder}/saved.ndjson`;
  await tmux.type(`w\x15${saved}\r`);
  await tmux.shows(/^saved 60 lines in /m);
  await tmux.type("fw");
  await tmux.shows(/^save as: synsnoop-/m);
  await tmux.type(`\x15${saved}\r`);
  await tmux.shows(/^Cannot save .* it is there already/m);
  await tmux.type("q");
  await endedWell(tmux);
});

skippableTest("top fits 40 × 10, and goes back", NO_TMUX, async () => {
  await using tmux = await Tmux.start(100, 30);
  await startTop(tmux, `--sort handshakes ${FILE}`);
  const large = await tmux.screen();
  await tmux.resize(40, 10);
  const small = await tmux.shows(/^ SERVER +NEW\/S +FAILED +NET P99$/m);
  assertEquals(small.length, 10);
  assertMatch(small[0], /^synsnoop top /);
  assertMatch(small[4], /^>10\.0\.0\.5:5432 /);
  assertMatch(small[9], /^q quit/);
  await tmux.resize(100, 30);
  assertEquals(await tmux.shows(/latest failures/), large);
  await tmux.type("q");
  await endedWell(tmux);
});

skippableTest("top does what is clicked", NO_TMUX, async () => {
  await using tmux = await Tmux.start(100, 30);
  await startTop(tmux, FILE);
  const click = async (text: string) => {
    const lines = await tmux.screen();
    const row = lines.findIndex((line) => line.includes(text));
    await tmux.type(`\x1b[<0;${lines[row].indexOf(text) + 2};${row + 1}M`);
  };
  await click("reason");
  await tmux.shows(/^>ECONNREFUSED +60 /m);
  await click("COUNT");
  await tmux.shows(/COUNT▼/);
  await click("ETIMEDOUT");
  await tmux.shows(/^>ETIMEDOUT/m);
  await click("ETIMEDOUT");
  await tmux.shows(/^reason ETIMEDOUT, latest: 5 kept/m);
  await tmux.type("q");
  await endedWell(tmux);
});

skippableTest(
  "top stops by Ctrl-Z with the terminal given back, and goes on",
  NO_TMUX,
  async () => {
    await using tmux = await Tmux.start(80, 24);
    await startTop(tmux, FILE);
    await tmux.type("\x1a");
    await tmux.shows(/Stopped/);
    assertEquals(await tmux.modes(), AS_BEFORE);
    await tmux.run("stty -a | grep -o -- ' icanon'");
    await tmux.shows(/^ icanon$/m);
    await tmux.run("fg");
    await tmux.shows(TABLE);
    assert((await tmux.modes()).alternateScreen);
    await tmux.type("q");
    // Behind the screen, whose own line has no colon.
    await tmux.shows(/^945 handshakes: /m);
    assertEquals(await tmux.modes(), AS_BEFORE);
    await tmux.run("stty -a | grep -o -- ' icanon'");
    await tmux.shows(/^ icanon$/m);
  },
);

/** The process that runs the tool on a terminal. */
async function toolPid(tmux: Tmux): Promise<number> {
  const pid = await tmux.shellPid();
  const children = await Deno.readTextFile(`/proc/${pid}/task/${pid}/children`);
  return Number(children.trim().split(" ")[0]);
}

/** Has a timer fail as nobody foresaw, once there is a file. */
const FAULT = `${folder}/fault.ts`;
const FAULT_NOW = `${folder}/now`;
await Deno.writeTextFile(
  FAULT,
  `const every = globalThis.setInterval;
globalThis.setInterval = (callback, ms) => every(() => {
  try { Deno.removeSync(${JSON.stringify(FAULT_NOW)}); } catch { return callback(); }
  throw new Error("on purpose");
}, ms);
`,
);

const ENDINGS: { name: string; status: number; ask(tmux: Tmux): Promise<void>; deno?: string }[] = [
  { name: "q", status: 0, ask: (tmux) => tmux.type("q") },
  { name: "Ctrl-C", status: 0, ask: (tmux) => tmux.type("\x03") },
  ...(["SIGTERM", "SIGHUP", "SIGINT"] as const).map((signal) => ({
    name: signal,
    status: 0,
    ask: async (tmux: Tmux) => Deno.kill(await toolPid(tmux), signal),
  })),
  {
    name: "an error that nobody foresaw",
    status: 1,
    ask: () => Deno.writeTextFile(FAULT_NOW, ""),
    deno: TOP.replace(" -A ", ` -A --preload=${FAULT} `),
  },
];

for (const { name, status, ask, deno } of ENDINGS) {
  skippableTest(`top gives the terminal back: ${name}`, NO_TMUX, async () => {
    await using tmux = await Tmux.start(80, 24);
    await startTop(tmux, FILE, deno);
    await tmux.type(name === "q" ? "f" : "f/--fail");
    await tmux.shows(name === "q" ? /^latest failures: /m : /^\/--fail/m);
    await ask(tmux);
    const lines = await endedWell(tmux, status);
    assertStringIncludes(
      lines.join("\n"),
      "945 handshakes: 880 established, 60 refused, 5 timeout",
    );
  });
}

skippableTest("top gives the terminal back at the end of its input", NO_TMUX, async () => {
  await using tmux = await Tmux.start(80, 24);
  const pipe = `${folder}/pipe`;
  await new Deno.Command("mkfifo", { args: [pipe] }).output();
  const opening = Deno.open(pipe, { write: true });
  await tmux.run(
    `B=$(stty -g); ${TOP} --quit-at-end - <${pipe}; ` +
      `echo "STATUS=$? $([ "$B" = "$(stty -g)" ] && echo AS BEFORE)"`,
  );
  using file = await opening;
  await file.write(new TextEncoder().encode(RECORDS + '{"torn'));
  await tmux.shows(TABLE);
  assert((await tmux.modes()).alternateScreen);
  file.close();
  const lines = await endedWell(tmux, 1);
  assertStringIncludes(lines.join("\n"), "1 of its lines is no record");
});

skippableTest("top ends when its terminal is gone", NO_TMUX, async () => {
  const tmux = await Tmux.start(80, 24);
  await startTop(tmux, FILE);
  const pid = await toolPid(tmux);
  await tmux[Symbol.asyncDispose]();
  await until("its end", () => {
    try {
      return Deno.readTextFileSync(`/proc/${pid}/stat`).includes(") Z ");
    } catch {
      return true;
    }
  });
});

skippableTest("top follows a file by its name, and says what becomes of it", NO_TMUX, async () => {
  await using tmux = await Tmux.start(120, 30);
  const path = `${folder}/followed.ndjson`;
  await Deno.writeTextFile(path, RECORDS);
  await startTop(tmux, path);
  await Deno.writeTextFile(path, RECORDS + "no record\n", { append: true });
  await tmux.shows(/^1890 handshakes .* lost: 1 +most of unread_lines/m);
  await Deno.rename(path, `${path}.1`);
  await Deno.writeTextFile(path, RECORDS);
  await tmux.shows(/^2835 handshakes/m);
  await tmux.shows(/is another file by now, which is read$/m);
  await Deno.truncate(path, 0);
  await tmux.shows(/was cut short; it is read from its start$/m);
  await Deno.writeTextFile(path, RECORDS, { append: true });
  await tmux.shows(/^3780 handshakes/m);
  await tmux.type("q");
  await endedWell(tmux);
});

skippableTest(
  "top shows all of a capture, what was under way at its end too",
  NO_TMUX,
  async () => {
    await using tmux = await Tmux.start(100, 30);
    const path = `${folder}/a.pcap`;
    await Deno.writeFile(path, CAPTURE);
    await tmux.run(`${TOP} ${path}; echo STATUS=$?`);
    await tmux.shows(/^synsnoop top .*a\.pcap", ended$[^]*^15 handshakes .*1 half_open/m);
    await tmux.type("/:80\rf\r");
    // Of the packets themselves: a record does not tell that the RST acknowledges.
    await tmux.shows(/^TCP handshake: refused[^]*\[RST, ACK\]/m);
    await tmux.type("q");
    await tmux.shows(/STATUS=0/);
  },
);

skippableTest(
  "top draws without colours and in ASCII where that is asked for",
  NO_TMUX,
  async () => {
    await using tmux = await Tmux.start(80, 24, { LANG: "C", LC_ALL: "C", NO_COLOR: "1" });
    await startTop(tmux, FILE);
    const lines = await tmux.shows(/latest failures/);
    assertMatch(lines.join("\n"), /^[\x20-\x7e\n]*$/);
    await tmux.type("q");
    await endedWell(tmux);
  },
);

skippableTest(
  "top shows nothing where there is nothing to read, and says so",
  NO_TMUX,
  async () => {
    await using tmux = await Tmux.start(80, 24);
    await tmux.run(`${TOP} ${folder}/none.ndjson; echo STATUS=$?`);
    const lines = await tmux.shows(/STATUS=1/);
    assertMatch(lines.join(""), /Cannot read ".*": there is no such file/);
    assertEquals(await tmux.modes(), AS_BEFORE);
    await tmux.run(`${TOP} -; echo STATUS=$?`);
    assertMatch((await tmux.shows(/STATUS=2/)).join(""), /Cannot read records from the terminal/);
  },
);

skippableTest("top says that TERM names none that could show it", NO_TMUX, async () => {
  await using tmux = await Tmux.start(80, 24);
  await tmux.run(`TERM=dumb ${TOP} ${FILE}; echo STATUS=$?`);
  const lines = await tmux.shows(/STATUS=2/);
  assertMatch(lines.join("").replaceAll("\n", ""), /top --interval 10s, or synsnoop trace --stats/);
});

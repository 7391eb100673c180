// Installs below a temporary prefix, uses what is there as a user does, and removes it.
// Covers src/install/install.ts
// Covers src/install/collect_files.ts
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { SCHEMA_HELP } from "../../src/cli/schema.ts";
import { COMMANDS } from "../../src/cli/commands.ts";
import { LIST } from "../../src/install/installed_files.ts";
import { findExecutable, isRoot } from "../../src/linux/host.ts";
import { Folder } from "../folder.ts";
import { skippableTest } from "../netns/namespace.ts";
import { buildRefused } from "./refused_capture.ts";

const INSTALL = new URL("../../src/install/install.ts", import.meta.url).pathname;
const ENV = { LANG: "C.UTF-8", PATH: Deno.env.get("PATH") ?? "" };

/** Connections that were refused, each so late that those before are done with. */
const HANDSHAKES = 3;
const CAPTURE = buildRefused({ count: HANDSHAKES, firstPort: 40_000, secondsApart: 600 });

/** Runs a program to its end. */
async function run(program: string, args: readonly string[], env: Record<string, string> = ENV) {
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args: [...args],
    env,
    stdin: "null",
  }).output();
  const [out, said] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { status: code, out, said };
}

function runInstall(...args: string[]) {
  return run(Deno.execPath(), ["run", "--quiet", "-A", INSTALL, ...args]);
}

/** All that is below a folder. */
function pathsBelow(folder: string): string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) => {
    const path = `${folder}/${name}`;
    return isDirectory ? [path, ...pathsBelow(path)] : [path];
  }).sort();
}

Deno.test("install brings a synsnoop that is one process, and uninstall leaves nothing", async (t) => {
  using folder = new Folder();
  // A shell would make more of this name.
  const prefix = `${folder.path}/it's $(here)`;
  const installed = await runInstall("--prefix", prefix);
  assertEquals(installed.status, 0, installed.said);
  assertStringIncludes(installed.said, `Installed ${prefix}/bin/synsnoop and `);
  assertMatch(installed.said, /Its runtime is Deno [\d.]+ from .*(?:fits|checked|did not bring)/);
  const before = pathsBelow(prefix);
  const synsnoop = `${prefix}/bin/synsnoop`;
  const completions = `${prefix}/share/bash-completion/completions/synsnoop`;

  await t.step("--version and read work, without writing anything there", async () => {
    assertMatch((await run(synsnoop, ["--version"])).out, /^synsnoop \d+\.\d+\.\d+\n$/);
    const capture = `${folder.path}/capture.pcap`;
    Deno.writeFileSync(capture, CAPTURE);
    const { status, out } = await run(synsnoop, ["read", capture]);
    assertEquals(status, 0);
    assertEquals(JSON.parse(out.split("\n")[0]).outcome, "refused");
    for (const [name] of COMMANDS) {
      assertEquals((await run(synsnoop, [name, "--help"])).status, 0, name);
    }
    assertEquals((await run(synsnoop, ["raed"])).status, 2);
    assertEquals(pathsBelow(prefix), before);
  });

  await t.step("query asks DuckDB, which the installation does not hold", async () => {
    const records = `${folder.path}/records.ndjson`;
    await run(synsnoop, ["read", "--output", records, `${folder.path}/capture.pcap`]);
    // Where the tests' own DuckDB is.
    const env = { ...ENV, HOME: Deno.env.get("HOME") ?? "/root" };
    const { status, out, said } = await run(synsnoop, ["query", records, "servers", "--json"], env);
    assertEquals(status, 0, said);
    assertEquals(JSON.parse(out.split("\n")[0]).handshakes, HANDSHAKES, out);
    assertEquals(pathsBelow(prefix), before);
    Deno.removeSync(records);
  });

  await t.step("what it fetches and keeps is nothing: it runs without a cache", async () => {
    using home = new Folder();
    const env = { ...ENV, HOME: home.path, DENO_DIR: `${home.path}/deno` };
    assertEquals((await run(synsnoop, ["schema"], env)).status, 0);
  });

  await t.step("SIGINT ends the one process, which writes its summary", async () => {
    const child = new Deno.Command(synsnoop, {
      args: ["read", "-"],
      env: ENV,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const said = new Response(child.stderr).text();
    const keys = child.stdin.getWriter();
    await keys.write(CAPTURE);
    let out = "";
    for await (const part of child.stdout.pipeThrough(new TextDecoderStream())) {
      if (out === "") {
        // The record is there, so signals are heard.
        const exe = await Deno.readLink(`/proc/${child.pid}/exe`);
        assertEquals(exe, `${await Deno.realPath(prefix)}/lib/synsnoop/deno`);
        child.kill("SIGINT");
      }
      out += part;
    }
    assertEquals((await child.status).code, 0);
    assertEquals(out.trimEnd().split("\n").map((line) => JSON.parse(line).event), [
      ...Array(HANDSHAKES).fill("handshake"),
      "summary",
    ]);
    assertMatch(await said, /3 handshakes/);
    await keys.abort().catch(() => {});
  });

  await t.step("the list is what sha256sum checks", async () => {
    const { status, said } = await runIn(prefix, `sha256sum --quiet -c ${LIST}`);
    assertEquals([status, said], [0, ""]);
  });

  const bash = findExecutable("bash");
  await t.step({
    name: `bash completes commands, flags and files${bash ? "" : " — skipped: no bash"}`,
    ignore: bash === undefined,
    fn: async () => {
      assertEquals((await run("bash", ["-n", completions])).status, 0);
      for (
        const { words, expected } of [
          { words: ["tr"], expected: ["trace"] },
          { words: ["trace", "--rot"], expected: ["--rotate-size", "--rotate-keep"] },
          { words: ["schema", ""], expected: SCHEMA_HELP.flags.map(({ name }) => `--${name}`) },
          { words: ["trace", "--port", ""], expected: [] },
          { words: ["trace", "--output", "LIC"], expected: ["LICENSE"] },
          { words: ["trace", "--output", "=", "LIC"], expected: ["LICENSE"] },
          { words: ["read", "LIC"], expected: ["LICENSE"] },
          { words: ["read", "--is-no-flag"], expected: [] },
        ]
      ) {
        const line = 'compopt() { :; }; . "$0"; cd "$1" && shift; ' +
          'COMP_WORDS=(synsnoop "$@"); COMP_CWORD=$#; _synsnoop; printf "%s\\n" "${COMPREPLY[@]}"';
        const library = `${prefix}/lib/synsnoop`;
        const { out, said } = await run("bash", ["-c", line, completions, library, ...words]);
        assertEquals([out.split("\n").filter((word) => word !== ""), said], [expected, ""]);
      }
    },
  });

  for (
    const { program, args, files } of [
      { program: "groff", args: ["-ww", "-man", "-Tutf8"], files: /\.1$/ },
      { program: "man", args: ["--warnings", "-l"], files: /\.1$/ },
      { program: "zsh", args: ["-n"], files: /\/_synsnoop$/ },
      { program: "fish", args: ["--no-execute"], files: /\.fish$/ },
    ]
  ) {
    const reason = findExecutable(program) ? "" : ` — skipped: no ${program}`;
    await t.step({
      name: `${program} finds no fault${reason}`,
      ignore: reason !== "",
      fn: async () => {
        const matching = before.filter((path) => files.test(path));
        assert(matching.length > 0);
        for (const path of matching) {
          const { status, said } = await run(program, [...args, path]);
          assertEquals([status, said], [0, ""], path);
        }
      },
    });
  }

  await t.step("once more replaces it, while it runs and where a file was changed", async () => {
    const child = new Deno.Command(synsnoop, { args: ["read", "-"], env: ENV, stdin: "piped" })
      .spawn();
    Deno.writeTextFileSync(completions, "changed");
    const { status, said } = await runInstall("--prefix", prefix);
    assertEquals(status, 0, said);
    assertStringIncludes(said, `Replaced ${completions}, which was changed\n`);
    assertEquals(pathsBelow(prefix), before);
    child.kill("SIGKILL");
    await child.status;
    await child.stdin.abort().catch(() => {});
  });

  await t.step("--uninstall leaves nothing", async () => {
    const { status, said } = await runInstall("--prefix", prefix, "--uninstall");
    assertEquals([status, said], [0, `Removed ${countFiles(before)} files from ${prefix}\n`]);
    assertEquals([...Deno.readDirSync(folder.path)].map(({ name }) => name), ["capture.pcap"]);
  });

  function countFiles(paths: readonly string[]): number {
    // The list is not one of those that it lists.
    return paths.filter((path) => !paths.some((other) => other.startsWith(`${path}/`))).length - 1;
  }
});

async function runIn(folder: string, line: string) {
  return await run("sh", ["-c", `cd "$0" && ${line}`, folder]);
}

Deno.test("what is installed starts from few files, which hold all that commands load", async () => {
  using folder = new Folder();
  const { path: prefix } = folder;
  const { status, said } = await runInstall("--prefix", prefix);
  assertEquals(status, 0, said);
  const library = `${prefix}/lib/synsnoop`;
  const capture = `${prefix}/capture.pcap`;
  Deno.writeFileSync(capture, CAPTURE);
  const from = (main: string, args: readonly string[]) =>
    run(`${library}/deno`, ["run", "--quiet", "-A", "--no-lock", `${library}/${main}`, ...args]);
  const lines = [
    ...COMMANDS.map(([name]) => [name, "--help"]),
    ...["--json", "--table", "--stats", "--csv", "--columns=client", "--colour=always"]
      .map((flag) => ["read", flag, capture]),
    ["read", "--output", `${prefix}/others.ndjson`, capture],
    ["read", "--write", `${prefix}/packets.pcapng`, capture],
    ["read", `${prefix}/records.ndjson`],
    ["explain", capture],
    ["metrics", `${prefix}/records.ndjson`],
    ["trace", "--config", "/does/not/exist"],
    ["schema"],
    ["--version"],
    ["raed"],
  ];
  await from("src/main.ts", ["read", "--output", `${prefix}/records.ndjson`, capture]);
  const fromSource = [];
  for (const args of lines) fromSource.push(await from("src/main.ts", args));
  // What a command would still load from there is missed now.
  await Deno.rename(`${library}/src`, `${prefix}/src`);
  for (const [at, args] of lines.entries()) {
    assertEquals(await from("bundle/main.js", args), fromSource[at], args.join(" "));
  }
});

Deno.test("install starts the source where there is nothing to bundle with", async () => {
  using folder = new Folder();
  using home = new Folder();
  const env = {
    ...ENV,
    ...{ HOME: home.path, DENO_DIR: `${home.path}/deno` },
    ...{ NPM_CONFIG_REGISTRY: "http://127.0.0.1:9", npm_config_registry: "http://127.0.0.1:9" },
  };
  const args = ["run", "--quiet", "-A", "--no-lock", INSTALL, "--prefix", folder.path];
  const { status, said } = await run(Deno.execPath(), args, env);
  assertEquals(status, 0, said);
  assertMatch(
    said,
    /It starts from its source, 15 ms later: Deno cannot bundle it: .*127\.0\.0\.1/,
  );
  const { out } = await run(`${folder.path}/bin/synsnoop`, ["--version"]);
  assertMatch(out, /^synsnoop /);
});

Deno.test("install refuses in one sentence", async (t) => {
  using folder = new Folder();
  const { path } = folder;
  Deno.mkdirSync(`${path}/taken/bin`, { recursive: true });
  Deno.writeTextFileSync(`${path}/taken/bin/synsnoop`, "mine");
  for (
    const { args, status, said } of [
      {
        args: ["--prefix", `${path}/taken`],
        status: 1,
        said:
          `Cannot install to ${path}/taken: "${path}/taken/bin/synsnoop" is there and was not ` +
          "installed by this tool; move it away\n",
      },
      {
        args: ["--prefix", `${path}/none`, "--uninstall"],
        status: 1,
        said: `Cannot uninstall from ${path}/none: there is no "${path}/none/${LIST}"\n`,
      },
      { args: ["here"], status: 2, said: 'Cannot use "here": install takes flags only\n' },
      {
        args: ["--prefx=x"],
        status: 2,
        said: 'Unknown flag "--prefx=x": did you mean --prefix?\n',
      },
    ]
  ) {
    await t.step(
      args[0] === "--prefix" ? args.slice(2).join(" ") + " there" : args[0],
      async () => {
        const run = await runInstall(...args);
        assertEquals([run.status, run.said], [status, said]);
      },
    );
  }
  assertEquals(pathsBelow(path), [
    `${path}/taken`,
    `${path}/taken/bin`,
    `${path}/taken/bin/synsnoop`,
  ]);
});

skippableTest(
  "install says where it has no right to write",
  isRoot() && !findExecutable("setpriv") ? 'no "setpriv"' : undefined,
  async () => {
    using folder = new Folder();
    const prefix = `${folder.path}/closed`;
    Deno.mkdirSync(prefix, { mode: 0o555 });
    const command = [Deno.execPath(), "run", "--quiet", "-A", INSTALL, "--prefix", prefix];
    // Root may write anywhere, unless it gives that up.
    const drop = isRoot() ? ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] : [];
    const [program, ...args] = [...drop, ...command];
    // What it compiled before may be of someone whose files it cannot read then.
    const { status, said } = await run(program, args, { ...ENV, DENO_DIR: `${folder.path}/deno` });
    assertEquals([status, said], [
      3,
      `Cannot install to ${prefix}: no right to write there; run it as root, or give --prefix DIR\n`,
    ]);
    assertEquals(pathsBelow(prefix), []);
  },
);

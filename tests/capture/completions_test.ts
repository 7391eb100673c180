// Completions as a person has them who types into bash, zsh and fish: what the tab key makes of words.
import { assertEquals } from "@std/assert";
import { COMMANDS, loadCommand } from "../../src/cli/commands.ts";
import { bashCompletions, fishCompletions, zshCompletions } from "../../src/install/completions.ts";
import { findExecutable } from "../../src/linux/host.ts";
import { until } from "../netns/namespace.ts";

const folder = await Deno.makeTempDir({ prefix: "synsnoop-completions-" });
globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
const commands = await Promise.all(
  COMMANDS.map(async ([name]) => [name, (await loadCommand(name)).help] as const),
);
await Deno.mkdir(`${folder}/zsh`);
await Deno.writeTextFile(`${folder}/bash`, bashCompletions(commands));
await Deno.writeTextFile(`${folder}/zsh/_synsnoop`, zshCompletions(commands));
await Deno.writeTextFile(`${folder}/fish`, fishCompletions(commands));

/** Where files are completed. */
const files = `${folder}/files`;
await Deno.mkdir(`${files}/captures`, { recursive: true });
for (
  const name of ["evening.pcapng.gz", "evening.txt", "notes.md", "other.toml", "trace.ndjson.1"]
) {
  await Deno.writeTextFile(`${files}/${name}`, "");
}

/** How each is started, with a `synsnoop` that shows what it was called with. */
const SHELLS = [
  {
    name: "bash",
    command: "bash --noprofile --norc -i",
    begin: `. ${folder}/bash; synsnoop() { echo "GOT <$*>"; }; PS1='READY''> '`,
  },
  {
    name: "zsh",
    command: "zsh -f -i",
    begin: `fpath=(${folder}/zsh $fpath); autoload -Uz compinit; compinit -u -D; ` +
      `synsnoop() { print -r -- "GOT <$*>" }; PS1='READY''> '`,
  },
  {
    name: "fish",
    command: "fish --no-config -i",
    begin: `. ${folder}/fish; function synsnoop; echo "GOT <$argv>"; end; ` +
      `function fish_prompt; echo 'READY''> '; end`,
  },
];

/** What is typed behind `synsnoop`, a tab at its end, and what it becomes. */
const CASES: readonly (readonly [typed: string, becomes: string])[] = [
  ["expl", "explain"],
  ["trace --rotate-k", "trace --rotate-keep"],
  ["trace --outcome refu", "trace --outcome refused"],
  ["trace --outcome refused,timeo", "trace --outcome refused,timeout"],
  ["trace --not-outcome=half", "trace --not-outcome=half_open"],
  ["read --columns client.addr", "read --columns client.address"],
  ["read --fields time,server.proc", "read --fields time,server.process"],
  ["explain --format mark", "explain --format markdown"],
  ["trace --reason NETF", "trace --reason NETFILTER_DROP"],
  ["trace --probes trac", "trace --probes tracepoint"],
  ["trace --colour nev", "trace --colour never"],
  ["trace --interface l", "trace --interface lo"],
  ["trace --netns al", "trace --netns all"],
  ["trace --user root,daemo", "trace --user root,daemon"],
  ["trace --store capt", "trace --store captures"],
  ["ship capt", "ship captures"],
  ["ship --config oth", "ship --config other.toml"],
  ["trace --config oth", "trace --config other.toml"],
  ["trace --output not", "trace --output notes.md"],
  ["read even", "read evening.pcapng.gz"],
  ["read trace.n", "read trace.ndjson.1"],
  // None has a name of a capture: it may be any.
  ["read not", "read notes.md"],
  ["trace --port 1 -- basena", "trace --port 1 -- basename"],
  ["trace -- cat not", "trace -- cat notes.md"],
];

for (const { name, command, begin } of SHELLS) {
  const lacks = ["script", name].find((program) => findExecutable(program) === undefined);
  Deno.test({
    name: `${name} completes commands, flags and values${lacks ? ` — skipped: no ${lacks}` : ""}`,
    ignore: lacks !== undefined,
    fn: async () => {
      const child = new Deno.Command("script", {
        args: ["-qfec", `stty cols 300 rows 50; exec ${command}`, "/dev/null"],
        cwd: files,
        env: { TERM: "xterm", LC_ALL: "C.UTF-8", HISTFILE: "", HOME: folder, PS1: "BEGIN> " },
        stdin: "piped",
        stdout: "piped",
        stderr: "null",
      }).spawn();
      let text = "";
      const read = (async () => {
        for await (const part of child.stdout.pipeThrough(new TextDecoderStream())) text += part;
      })();
      const keys = child.stdin.getWriter();
      const type = (line: string) => keys.write(new TextEncoder().encode(line));
      const shows = (what: string | RegExp, from: number) =>
        until(`${what} in ${name}`, () => text.slice(from).search(what) >= 0, 30_000)
          .catch((error) => {
            throw new Error(`${error.message}; it shows ${JSON.stringify(text.slice(from))}`);
          });
      try {
        await type(`${begin}\n`);
        await shows("READY> ", 0);
        const became: [string, string][] = [];
        for (const [typed] of CASES) {
          const from = text.length;
          await type(`synsnoop ${typed}\t`);
          await type("\n");
          await shows(/GOT <[^>]*>[^]*READY> /, from);
          const [, words] = /GOT <([^>]*)>/.exec(text.slice(from))!;
          // The slash behind a folder stays or goes, as each shell likes it.
          became.push([typed, words.trimEnd().replace(/\/$/, "")]);
        }
        assertEquals(became, CASES.map((each) => [...each]));
      } finally {
        child.kill("SIGKILL");
        await child.status;
        await read;
        await keys.close().catch(() => {});
      }
    },
  });
}

Deno.test("each heading in a help stands over a flag of its command, the first of all included", () => {
  for (const [name, { flags, headings }] of commands) {
    if (headings === undefined) continue;
    const [first, ...others] = flags.map((flag) => flag.name).filter((flag) => flag in headings);
    assertEquals([first, ...others].length, Object.keys(headings).length, name);
    assertEquals(first, flags[0].name, name);
  }
});

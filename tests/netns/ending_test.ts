// How a command ends, whoever started it and however it is asked to: at the first request everything that
// it holds is written. On a real terminal, where a task runner hands on what the terminal has sent
// already. `-- --tries=20` for more tries of each.
// Covers src/cli/process/signals.ts
// Covers src/cli/process/runner.ts
// Covers src/linux/unforeseen.ts
// Covers src/cli/ending.ts
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { TextLineStream } from "@std/streams";
import { readProcessState } from "../../src/linux/process_state.ts";
import { readCapture } from "../unit/pcap/read_capture.ts";
import { seedFiles } from "../capture/seed_captures.ts";
import {
  Namespace,
  namespaceTest,
  reasonAgainstNamespaces,
  skippableTest,
  until,
} from "./namespace.ts";
import { KEY, NO_SHELL, Shell } from "./shell.ts";
import { MAIN } from "./tracer.ts";

const TRIES = Number(/^--tries=(\d+)$/.exec(Deno.args[0] ?? "")?.[1] ?? 2);
const ROOT = new URL("../../", import.meta.url).pathname;
const DENO = Deno.execPath();
/** Nobody listens there. */
const PORT = 25_001;
const OURS = `--port ${PORT}`;
const folder = await Deno.makeTempDir({ prefix: "synsnoop-ending-" });
globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));

/** From its cache: there is no network in the namespaces here. */
const NPX = `env npm_config_offline=true npx -y deno@${Deno.version.deno}`;
const NO_NPX = await (async () => {
  const [command, ...args] = `${NPX} --version`.split(" ");
  const { success } = await new Deno.Command(command, { args, stdin: "null" }).output()
    .catch(() => ({ success: false }));
  return success ? undefined : `npm has no deno@${Deno.version.deno} in its cache`;
})();
/** A capture file with handshakes in it. */
const CAPTURE = `${folder}/capture`;
await Deno.writeFile(CAPTURE, seedFiles()[0].bytes);
const NO_TERMINAL = NO_SHELL ?? await reasonAgainstNamespaces();

/** Three connections that are refused at once: six packets. */
async function connect(namespace: Namespace): Promise<void> {
  const one = `exec 3<>/dev/tcp/127.0.0.1/${PORT}`;
  await namespace.run("bash", "-c", `for i in 1 2 3; do (${one}); done 2>/dev/null; true`);
}
/** Behind what the terminal shows of the key, too; the kernel also tells of others on this machine. */
const SUMMARY = /^3 handshakes: 3 refused(?: \(\d+ more kept back by filters\))?\r?$/m;
const NOTHING_LOST = "lost: nothing at any place that was counted";

/** Ways to start the tool from a shell in the repository, and the status that tells of its own 0. */
const STARTS: { name: string; words: string; status: number; skip?: string }[] = [
  { name: "deno run", words: `${DENO} run --quiet -A src/main.ts`, status: 0 },
  { name: "deno task", words: `${DENO} task`, status: 0 },
  // npm dies of the signal.
  { name: "npx deno task", words: `${NPX} task`, status: 130, skip: NO_NPX },
  { name: "timeout deno task", words: `timeout 600 ${DENO} task`, status: 0 },
];

/** What a trace writes: a flag, and what must be there of three handshakes when it has ended. */
const OUTPUTS: { flags: string; check(terminal: string, file: string): Promise<void> | void }[] = [
  {
    flags: "",
    check: (terminal) => assertEquals(terminal.match(/ refused +127\.0\.0\.1:/g)?.length, 3),
  },
  {
    flags: "--table",
    check: (terminal) => {
      assertStringIncludes(terminal, "CLIENT RTT");
      assertEquals(terminal.match(/ refused +127\.0\.0\.1:/g)?.length, 3);
    },
  },
  {
    flags: "--stats",
    check: (terminal) => {
      assertMatch(terminal, /^SERVER +HANDSHAKES/m);
      assertMatch(terminal, new RegExp(`^127\\.0\\.0\\.1:${PORT} +3 `, "m"));
    },
  },
  {
    flags: "--output FILE",
    check: async (_, file) => {
      const lines = (await Deno.readTextFile(file)).trimEnd().split("\n").map((line) =>
        JSON.parse(line)
      );
      assertEquals(lines.map(({ event }) => event), [
        ...["handshake", "handshake", "handshake"],
        "status",
        "summary",
      ]);
      assertEquals(lines[4].outcomes, { refused: 3 });
    },
  },
  {
    flags: "--write FILE",
    check: async (_, file) => {
      const { packets, fault } = readCapture(await Deno.readFile(file));
      assertEquals([packets.length, fault], [6, undefined]);
    },
  },
];

let files = 0;

for (const { name, words, status, skip } of STARTS) {
  for (const { flags, check } of OUTPUTS) {
    skippableTest(
      `trace ${flags} by ${name} writes everything at one Ctrl-C`,
      NO_TERMINAL ?? skip,
      async () => {
        await using namespace = await Namespace.create();
        await using shell = await Shell.start();
        await shell.run(`cd ${ROOT}`);
        for (let tried = 0; tried < TRIES; tried++) {
          const file = `${folder}/out${++files}`;
          const from = shell.text.length;
          const all = `${OURS} --probes none ${flags.replace("FILE", file)}`;
          await shell.run(`ip netns exec ${namespace.name} ${words} trace ${all}`);
          await shell.shows(/capturing packets/, from);
          await connect(namespace);
          await shell.type(KEY.interrupt);
          await shell.shows(/^lost: .*$/m, from);
          assertEquals(await shell.status(), status);
          const shown = shell.text.slice(from);
          assertMatch(shown, SUMMARY);
          // What the terminal itself shows of the key has a line of its own.
          assertStringIncludes(shown, "^C\r\n");
          assertStringIncludes(shown, NOTHING_LOST);
          await check(shown, file);
        }
      },
    );
  }
}

skippableTest(
  "trace with kernel events writes everything at one Ctrl-C",
  NO_TERMINAL,
  async () => {
    await using namespace = await Namespace.create();
    await using shell = await Shell.start();
    await shell.run(`cd ${ROOT}`);
    for (let tried = 0; tried < TRIES; tried++) {
      const from = shell.text.length;
      await shell.run(`ip netns exec ${namespace.name} ${DENO} task trace ${OURS}`);
      await shell.shows(/kernel events come from/, from);
      await connect(namespace);
      await shell.type(KEY.interrupt);
      await shell.shows(/^lost: .*$/m, from);
      assertEquals(await shell.status(), 0);
      assertMatch(shell.text.slice(from), SUMMARY);
      assertStringIncludes(shell.text.slice(from), NOTHING_LOST);
    }
  },
);

for (const { name, words, skip } of STARTS.filter(({ status }) => status === 0)) {
  for (const [probes, ready] of [["none", /capturing packets/], ["auto", /kernel events come/]]) {
    skippableTest(
      `explain --probes ${probes} by ${name} ends at one Ctrl-C, and says what came instead`,
      NO_TERMINAL ?? skip,
      async () => {
        await using namespace = await Namespace.create();
        await using shell = await Shell.start();
        await shell.run(`cd ${ROOT}`);
        for (let tried = 0; tried < TRIES; tried++) {
          const from = shell.text.length;
          const flags = `--outcome established --port ${PORT} --probes ${probes}`;
          await shell.run(`ip netns exec ${namespace.name} ${words} explain ${flags}`);
          await shell.shows(ready as RegExp, from);
          await connect(namespace);
          await shell.type(KEY.interrupt);
          await shell.shows(/none of them matches/, from);
          assertEquals(await shell.status(), 1);
          assertMatch(
            shell.text.slice(from),
            /Cannot explain a handshake: \d+ handshakes came \([^)]*\d refused[^)]*\), none of them matches/,
          );
        }
      },
    );
  }
}

skippableTest("trace ends at Ctrl-C before bpftrace has attached", NO_TERMINAL, async () => {
  await using namespace = await Namespace.create();
  await using shell = await Shell.start();
  await shell.run(`cd ${ROOT}`);
  for (let tried = 0; tried < TRIES; tried++) {
    const from = shell.text.length;
    await shell.run(`ip netns exec ${namespace.name} ${DENO} task trace ${OURS}`);
    await shell.shows(/capturing packets/, from);
    await shell.type(KEY.interrupt);
    await shell.shows(/^lost: .*$/m, from);
    assertEquals(await shell.status(), 0);
    const notes = shell.text.slice(from).match(/^synsnoop: .*$/gm) ?? [];
    // On a busy machine bpftrace may be quicker than the key.
    const others = notes.filter((note) => !note.includes("kernel events come from"));
    assertEquals(others.length, 2, notes.join("\n"));
  }
});

/** Commands that read, what shows that they do, and what they say when they end. */
const READERS = [
  { command: "read --follow", file: "FILE", shows: /^\d\d:\d\d:\d\d.* established /m },
  { command: "read", file: "-", shows: /^\d\d:\d\d:\d\d.* established /m },
];
for (const { name, words, status, skip } of STARTS) {
  for (const { command, file, shows } of READERS) {
    skippableTest(
      `${command} ${file} by ${name} ends at one Ctrl-C`,
      NO_TERMINAL ?? skip,
      async () => {
        await using shell = await Shell.start();
        await shell.run(`cd ${ROOT}`);
        const input = file === "-" ? `tail -c +1 -f ${CAPTURE} | ` : "";
        for (let tried = 0; tried < TRIES; tried++) {
          const from = shell.text.length;
          await shell.run(`${input}${words} ${command} ${file.replace("FILE", CAPTURE)}`);
          await shell.shows(shows, from);
          await shell.type(KEY.interrupt);
          await shell.shows(/^lost: .*$/m, from);
          assertEquals(await shell.status(), status);
        }
      },
    );
  }
}

/** The tool in a namespace, without a terminal and in a process group of its own. */
class Run {
  readonly stdout: string[] = [];
  readonly stderr: string[] = [];
  readonly child: Deno.ChildProcess;
  readonly #read: Promise<unknown>;

  constructor(namespace: Namespace, command: readonly string[], options: Deno.CommandOptions = {}) {
    this.child = namespace.spawn(["setsid", ...command], {
      cwd: ROOT,
      stdout: "piped",
      stderr: "piped",
      ...options,
    });
    const collect = async (stream: ReadableStream<Uint8Array<ArrayBuffer>>, lines: string[]) => {
      const text = stream.pipeThrough(new TextDecoderStream());
      for await (const line of text.pipeThrough(new TextLineStream())) lines.push(line);
    };
    this.#read = Promise.all([
      collect(this.child.stdout, this.stdout),
      collect(this.child.stderr, this.stderr),
    ]);
  }

  /** Waits until it has said something. */
  async said(pattern: RegExp, times = 1): Promise<void> {
    await until(
      `${pattern} among ${JSON.stringify(this.stderr)}`,
      () => this.stderr.filter((line) => pattern.test(line)).length >= times,
      60_000,
    );
  }

  /** Sends a signal to the process that was started, and to no other. */
  signal(signal: Deno.Signal): void {
    this.child.kill(signal);
  }

  /** Sends it to all of the group, as a service manager does. */
  signalGroup(signal: Deno.Signal): void {
    Deno.kill(-this.child.pid, signal);
  }

  /** Waits for its end, and that of all that writes to its outputs. @returns Its status. */
  async ended(): Promise<number> {
    await this.#read;
    return (await this.child.status).code;
  }

  /** The events on standard output. */
  get events(): string[] {
    return this.stdout.map((line) => JSON.parse(line).event);
  }

  /** Fails unless it told three handshakes, and lost nothing. */
  assertWhole(): void {
    const said = this.stderr.join("\n");
    assertMatch(said, SUMMARY);
    assertStringIncludes(said, NOTHING_LOST);
  }
}

const RUN = [DENO, "run", "--quiet", "-A", MAIN];
const TRACE = [...RUN, "trace", "--port", String(PORT), "--probes", "none"];
const TASK = [DENO, "task", "trace", "--port", String(PORT), "--probes", "none"];
const THREE = ["handshake", "handshake", "handshake", "status", "summary"];

for (const [name, command] of [["deno run", TRACE], ["deno task", TASK]] as const) {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    await namespaceTest(
      `trace by ${name} writes everything at one ${signal} to its group`,
      async () => {
        await using namespace = await Namespace.create();
        for (let tried = 0; tried < TRIES; tried++) {
          const run = new Run(namespace, command);
          await run.said(/capturing packets/);
          await connect(namespace);
          run.signalGroup(signal);
          assertEquals(await run.ended(), 0);
          run.assertWhole();
          assertEquals(run.events, THREE);
        }
      },
    );
  }
}

await namespaceTest("trace by timeout writes everything when that is over", async () => {
  await using namespace = await Namespace.create();
  for (let tried = 0; tried < TRIES; tried++) {
    const run = new Run(namespace, ["timeout", "600", ...TASK]);
    await run.said(/capturing packets/);
    await connect(namespace);
    // It does the same when its time is over.
    run.signal("SIGTERM");
    await run.ended();
    run.assertWhole();
    assertEquals(run.events, THREE);
  }
});

await namespaceTest("trace takes signals in quick succession for one request", async () => {
  await using namespace = await Namespace.create();
  for (let tried = 0; tried < TRIES; tried++) {
    const run = new Run(namespace, TRACE);
    await run.said(/capturing packets/);
    await connect(namespace);
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) run.signal(signal);
    assertEquals(await run.ended(), 0);
    run.assertWhole();
  }
});

await namespaceTest("trace ends when the npm that started it is ended alone", async () => {
  await using namespace = await Namespace.create();
  // A shell that is called as npm calls itself.
  const npm = `${folder}/npm exec deno`;
  await Deno.symlink("/bin/sh", npm);
  const run = new Run(namespace, [npm, "-c", '"$@"; true', "sh", ...TASK], {
    env: { npm_command: "exec" },
  });
  await run.said(/capturing packets/);
  await connect(namespace);
  run.signal("SIGKILL");
  await run.ended();
  run.assertWhole();
  assertEquals(run.events, THREE);
});

await namespaceTest("trace by another shell outlives it", async () => {
  await using namespace = await Namespace.create();
  const run = new Run(namespace, ["sh", "-c", '"$@"; true', "sh", ...TRACE]);
  await run.said(/capturing packets/);
  const [pid] = await childrenOf(run.child.pid);
  run.signal("SIGKILL");
  await until("its parent is another", () => readProcessState(pid)?.parentPid !== run.child.pid);
  await connect(namespace);
  Deno.kill(pid, "SIGINT");
  await run.ended();
  run.assertWhole();
});

async function childrenOf(pid: number): Promise<number[]> {
  const text = await Deno.readTextFile(`/proc/${pid}/task/${pid}/children`);
  return text.trim().split(" ").map(Number);
}

await namespaceTest("trace goes on at SIGHUP where nohup has it ignored", async () => {
  await using namespace = await Namespace.create();
  const run = new Run(namespace, ["nohup", ...TRACE]);
  await run.said(/capturing packets/);
  run.signalGroup("SIGHUP");
  run.signalGroup("SIGUSR1");
  await run.said(/^0 handshakes$/);
  await connect(namespace);
  run.signalGroup("SIGTERM");
  assertEquals(await run.ended(), 0);
  run.assertWhole();
});

skippableTest("trace by nohup and deno task outlives its terminal", NO_TERMINAL, async () => {
  await using namespace = await Namespace.create();
  for (let tried = 0; tried < TRIES; tried++) {
    const [lines, said] = [`${folder}/nohup${tried}.ndjson`, `${folder}/nohup${tried}.txt`];
    await using shell = await Shell.start();
    await shell.run(`cd ${ROOT}`);
    await shell.run(
      `nohup ip netns exec ${namespace.name} ${DENO} task trace ${OURS} --probes none ` +
        `--output ${lines} >${said} 2>&1 & echo PID=$!.`,
    );
    await shell.shows(/PID=\d+\./);
    const group = Number(/PID=(\d+)\./.exec(shell.text)![1]);
    const holds = (path: string, words: string) => async () =>
      (await Deno.readTextFile(path).catch(() => "")).includes(words);
    await until("it captures", holds(said, "capturing packets"));
    await shell.hangUp();
    await until("its terminal is gone", () => (readProcessState(group)?.terminal ?? 0) === 0);
    await connect(namespace);
    await until("it has gone on", holds(lines, "refused"));
    Deno.kill(-group, "SIGTERM");
    await until("the summary is written", holds(lines, '"summary"'));
    // It is said after it is written.
    await until("the summary is said", holds(said, "evidence:"));
    assertMatch(await Deno.readTextFile(said), SUMMARY);
  }
});

await namespaceTest("trace opens its files again at SIGHUP without a terminal", async () => {
  await using namespace = await Namespace.create();
  const [lines, packets] = [`${folder}/moved.ndjson`, `${folder}/moved.pcapng`];
  const run = new Run(namespace, [...TRACE, "--output", lines, "--write", packets]);
  await run.said(/capturing packets/);
  await connect(namespace);
  const events = async (path: string) =>
    (await Deno.readTextFile(path).catch(() => "")).split("\n").filter((line) => line !== "")
      .map((line) => JSON.parse(line).event);
  const packetsIn = async (path: string) => readCapture(await Deno.readFile(path)).packets.length;
  await until("the first three are written", async () => (await events(lines)).length === 3);
  await until("their packets are written", async () => (await packetsIn(packets)) === 6);
  for (const path of [lines, packets]) await Deno.rename(path, `${path}.old`);
  run.signal("SIGHUP");
  // It is heard when the one behind it is answered: what comes from then on stands in the new files.
  run.signal("SIGUSR1");
  await run.said(/^3 handshakes: 3 refused/);
  await connect(namespace);
  await until("the next three are written", async () => (await events(lines)).length === 3);
  run.signal("SIGTERM");
  assertEquals(await run.ended(), 0, run.stderr.join("\n"));
  assertEquals(await events(`${lines}.old`), THREE.slice(0, 3));
  assertEquals(await events(lines), THREE);
  for (const path of [`${packets}.old`, packets]) assertEquals(await packetsIn(path), 6, path);
});

skippableTest(
  "trace writes its files to the end when the terminal is gone",
  NO_TERMINAL,
  async () => {
    await using namespace = await Namespace.create();
    const file = `${folder}/hung-up.ndjson`;
    await using shell = await Shell.start();
    await shell.run(`cd ${ROOT}`);
    await shell.run(
      `ip netns exec ${namespace.name} ${DENO} task trace ${OURS} --probes none --output ${file}`,
    );
    await shell.shows(/capturing packets/);
    await connect(namespace);
    await shell.hangUp();
    const lines = async () => (await Deno.readTextFile(file)).split("\n");
    await until(
      "the summary is written",
      async () => /"summary"/.test((await lines()).at(-2) ?? ""),
    );
    assertEquals((await lines()).length, THREE.length + 1);
  },
);

await namespaceTest("trace tells the summary so far at SIGUSR1 and goes on", async () => {
  await using namespace = await Namespace.create();
  const run = new Run(namespace, [...RUN, "trace", "--port", String(PORT)]);
  await run.said(/kernel events come/);
  for (const count of [3, 6]) {
    await connect(namespace);
    await until(`${count} records`, () => run.stdout.length === count);
    run.signal("SIGUSR1");
    await run.said(new RegExp(`^${count} handshakes: ${count} refused`));
    await run.said(new RegExp(`^${NOTHING_LOST}$`), count / 3);
  }
  run.signal("SIGTERM");
  assertEquals(await run.ended(), 0);
  assertEquals(run.events.slice(6), ["status", "summary"]);
});

skippableTest("Ctrl-Z stops the job of a trace, and fg has it go on", NO_TERMINAL, async () => {
  await using namespace = await Namespace.create();
  await using shell = await Shell.start();
  await shell.run(`cd ${ROOT}`);
  for (const words of [`${DENO} task`, `${DENO} run --quiet -A src/main.ts`]) {
    const from = shell.text.length;
    await shell.run(`ip netns exec ${namespace.name} ${words} trace ${OURS} --probes none`);
    await shell.shows(/capturing packets/, from);
    await shell.type(KEY.suspend);
    await shell.shows(/Stopped/, from);
    await connect(namespace);
    await shell.run("fg");
    await shell.shows(/( refused [^]*){3}/, from);
    await shell.type(KEY.interrupt);
    await shell.shows(/^lost: .*$/m, from);
    assertEquals(await shell.status(), 0);
    assertMatch(shell.text.slice(from), SUMMARY);
    assertStringIncludes(shell.text.slice(from), NOTHING_LOST);
    assertEquals(shell.text.slice(from).match(/Stopped/g)?.length, 1);
  }
});

skippableTest(
  "Ctrl-Z stops a read that may start nothing, and fg has it go on",
  NO_TERMINAL,
  async () => {
    await using shell = await Shell.start();
    await shell.run(`cd ${ROOT}`);
    const from = shell.text.length;
    await shell.run(`${DENO} run --quiet -A src/main.ts read --follow ${CAPTURE}`);
    await shell.shows(/ established /, from);
    await shell.type(KEY.suspend);
    await shell.shows(/Stopped/, from);
    const stopped = shell.text.length;
    await shell.run("fg");
    // The shell names what goes on.
    await shell.shows(/main\.ts read/, stopped);
    await shell.type(KEY.interrupt);
    await shell.shows(/^lost: .*$/m, from);
    assertEquals(await shell.status(), 0);
  },
);

skippableTest(
  "Ctrl-Z does nothing to a read by deno task, which could not stop that",
  NO_TERMINAL,
  async () => {
    await using shell = await Shell.start();
    await shell.run(`cd ${ROOT}`);
    const from = shell.text.length;
    await shell.run(`${DENO} task read --follow ${CAPTURE}`);
    await shell.shows(/ established /, from);
    await shell.type(KEY.suspend);
    await shell.type(KEY.interrupt);
    await shell.shows(/^lost: .*$/m, from);
    assertEquals(await shell.status(), 0);
    assertEquals(shell.text.slice(from).includes("Stopped"), false);
  },
);

await namespaceTest(
  "trace says how to leave while somebody is still to take what it wrote",
  async () => {
    await using namespace = await Namespace.create();
    // Nobody reads what it writes.
    const child = namespace.spawn([...TRACE, "--json"], { stdout: "piped", stderr: "piped" });
    const said: string[] = [];
    const read = (async () => {
      const text = child.stderr.pipeThrough(new TextDecoderStream());
      for await (const line of text.pipeThrough(new TextLineStream())) said.push(line);
    })();
    const says = (pattern: RegExp) =>
      until(`${pattern} among ${said}`, () => said.some((line) => pattern.test(line)));
    await says(/capturing packets/);
    // More than a pipe holds.
    await namespace.run(
      "bash",
      "-c",
      `for i in {1..200}; do (exec 3<>/dev/tcp/127.0.0.1/${PORT}); done 2>/dev/null; true`,
    );
    child.kill("SIGINT");
    await says(/^synsnoop: ending; Ctrl-C again to leave at once$/);
    child.kill("SIGINT");
    await read;
    assertEquals((await child.status).code, 130);
    await child.stdout.cancel();
  },
);

await namespaceTest("trace does not wait for who takes no messages", async () => {
  await using namespace = await Namespace.create();
  const output = `${folder}/no-messages.ndjson`;
  const pipe = `${folder}/full-pipe`;
  await new Deno.Command("mkfifo", { args: [pipe] }).output();
  const closed = 'exec "$@" 2>&-';
  const broken = 'exec "$@" 2>/dev/full';
  // As much as a pipe holds, and nobody reads it.
  const full = `exec 3<>${pipe}; head -c 65536 /dev/zero >&3; exec "$@" 2>&3`;
  for (const script of [closed, broken, full]) {
    const shell = namespace.spawn(
      ["bash", "-c", script, "bash", ...TRACE, "--output", output],
      { stdout: "null", stderr: "null" },
    );
    await until("records are written", async () => {
      await connect(namespace);
      return (await Deno.readTextFile(output).catch(() => "")).includes("\n");
    });
    shell.kill("SIGTERM");
    await until(
      "the summary is written",
      async () => (await Deno.readTextFile(output)).includes('"summary"'),
    );
    if (script !== full) {
      assertEquals((await shell.status).code, 0);
    } else {
      // A second signal is heard, though nobody takes the messages.
      await until("it has left", async () => {
        try {
          shell.kill("SIGTERM");
        } catch {
          return true;
        }
        return await Promise.race([shell.status.then(() => true), Promise.resolve(false)]);
      });
    }
    await Deno.remove(output);
  }
});

/** Puts an error into a method, from its second call on. @returns The module that does, to be loaded first. */
async function injecting(
  { file, type, method, body = "throw new Error('injected')", once = false }: Injection,
): Promise<string> {
  const path = `${folder}/inject-${type}-${method}.ts`;
  await Deno.writeTextFile(
    path,
    `import { ${type} } from "${new URL(`../../src/${file}`, import.meta.url)}";
    const own = ${type}.prototype.${method};
    let calls = 0;
    ${type}.prototype.${method} = function (...args: unknown[]) {
      if (++calls ${once ? "===" : ">="} 2) { ${body}; }
      return own.apply(this, args);
    };`,
  );
  return path;
}

interface Injection {
  file: string;
  type: string;
  method: string;
  body?: string;
  /** At the second call only: without it the summary cannot be written either. */
  once?: boolean;
  /** What is said to have failed. */
  doing: string;
}

const LATER = "setTimeout(() => { throw new Error('injected') })";
const REJECTED = "Promise.reject(new Error('injected'))";
const FAULTS: Injection[] = [
  {
    file: "linux/capture/wire_source.ts",
    type: "WireSource",
    method: "drain",
    doing: "fetching packets",
  },
  {
    file: "linux/capture/wire_source.ts",
    type: "WireSource",
    method: "follow",
    doing: "following interfaces",
  },
  {
    file: "linux/probes/kernel_source.ts",
    type: "KernelSource",
    method: "drain",
    doing: "fetching kernel",
  },
  { file: "match/matcher.ts", type: "Matcher", method: "packet", doing: "fetching packets" },
  { file: "match/matcher.ts", type: "Matcher", method: "kernelRecord", doing: "taking a kernel" },
  { file: "match/matcher.ts", type: "Matcher", method: "advance", doing: "matching" },
  {
    file: "output/text_sink.ts",
    type: "NdjsonFormat",
    method: "take",
    doing: "writing a handshake",
  },
  {
    file: "output/text_sink.ts",
    type: "TextSink",
    method: "flush",
    once: true,
    doing: "writing",
  },
  {
    file: "linux/capture/wire_source.ts",
    type: "WireSource",
    method: "follow",
    body: LATER,
    doing: "a part",
  },
  {
    file: "linux/capture/wire_source.ts",
    type: "WireSource",
    method: "follow",
    body: REJECTED,
    doing: "a part",
  },
];

/** What a run says that ends by an error: one line of it, no place in the source, the summary. */
function assertOrderly(said: readonly string[], doing: string): void {
  const text = said.join("\n");
  const faults = said.filter((line) => line.includes("injected"));
  assertEquals(faults.length, 1, text);
  assertMatch(
    faults[0],
    new RegExp(`^synsnoop: Cannot go on: ${doing}.* failed: injected; ending$`),
  );
  assert(!/\bat file:|\bat async|Uncaught/.test(text), text);
  assertMatch(text, /^\d+ handshakes?/m);
}

for (const injection of FAULTS) {
  const { type, method, doing, body, file } = injection;
  const how = body === LATER ? " in a timer" : body === REJECTED ? " in a promise" : "";
  await namespaceTest(`trace ends in good order when ${type}.${method} throws${how}`, async () => {
    await using namespace = await Namespace.create();
    const ofKernel = file.includes("kernel") || method === "kernelRecord";
    const [runtime, ...rest] = ofKernel ? TRACE.slice(0, -2) : TRACE;
    const preload = ["run", "--preload", await injecting(injection)];
    const run = new Run(namespace, [runtime, ...preload, ...rest.slice(1)]);
    await run.said(ofKernel ? /kernel events come|Cannot go on/ : /capturing packets/);
    await connect(namespace);
    assertEquals(await run.ended(), 1, run.stderr.join("\n"));
    assertOrderly(run.stderr, doing);
    assertEquals(run.events.at(-1), "summary");
  });
}

for (
  const { args, says } of [
    { args: ["read", CAPTURE], says: "reading" },
    { args: ["explain", CAPTURE], says: "reading" },
  ]
) {
  Deno.test(`${args[0]} of a file ends in good order when a part of it throws`, async () => {
    const injection = { file: "match/matcher.ts", type: "Matcher", method: "packet", doing: says };
    const preload = await injecting(injection);
    const { code, stderr } = await new Deno.Command(DENO, {
      args: ["run", "--preload", preload, "--quiet", "-A", MAIN, ...args],
      stdin: "null",
    }).output();
    const said = new TextDecoder().decode(stderr).trimEnd().split("\n");
    assertEquals(code, 1, said.join("\n"));
    if (args[0] === "read") assertOrderly(said, says);
    else assertMatch(said[0], /^synsnoop: Cannot go on: reading failed: injected; ending$/);
  });
}

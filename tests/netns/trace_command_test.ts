// A command that is run and traced: its handshakes and its children's alone are reported, it has the
// terminal, its status is the tool's, and nothing of it is left behind.
// Covers src/cli/process/traced_command.ts
// Covers src/cli/run_command.ts
// Covers src/linux/command_cgroup.ts
// Covers src/linux/process_tree.ts
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { findCgroups } from "../../src/linux/cgroup_paths.ts";
import { CommandCgroup } from "../../src/linux/command_cgroup.ts";
import { readProcessState } from "../../src/linux/process_state.ts";
import type { HandshakeRecord } from "../../src/record/record.ts";
import { Namespace, reasonAgainstNamespaces, skippableTest, until } from "./namespace.ts";
import { KEY, NO_SHELL, Shell } from "./shell.ts";
import { MAIN } from "./tracer.ts";

/** Nobody listens there. */
const [OWN, CHILD, ORPHAN, DAEMON, FOREIGN] = [25_301, 25_302, 25_303, 25_304, 25_305];
const folder = await Deno.makeTempDir({ prefix: "synsnoop-command-" });
globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
const TOOL = `${Deno.execPath()} run --quiet -A ${MAIN}`;

const NO_NAMESPACES = await reasonAgainstNamespaces();
const NO_CGROUP = NO_NAMESPACES ?? (() => {
  try {
    CommandCgroup.create().remove();
  } catch (error) {
    return `there can be no cgroup: ${(error as Error).message}`;
  }
})();

/** A client that connects where it is told: refused, but a handshake. */
const CLIENT = `${folder}/client.py`;
await Deno.writeTextFile(
  CLIENT,
  `import socket, sys
for port in sys.argv[1:]:
    try:
        socket.create_connection(("127.0.0.1", int(port))).close()
    except ConnectionRefusedError:
        pass
`,
);
/** The same of one port, that stays until a record of it stands in a file. */
const LINGERING = `${folder}/lingering.py`;
await Deno.writeTextFile(
  LINGERING,
  `import os, socket, sys, time
port, path = sys.argv[1:]
try:
    socket.create_connection(("127.0.0.1", int(port))).close()
except ConnectionRefusedError:
    pass
end = time.monotonic() + 60
while time.monotonic() < end:
    if os.path.exists(path) and '"port":' + port in open(path).read(): break
    time.sleep(0.01)
`,
);
const connect = (...ports: number[]) => `python3 ${CLIENT} ${ports.join(" ")}`;

interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

/** How the namespace is entered: `ip netns exec` hides the cgroups of this host behind a sysfs of its own. */
function inside({ name }: Namespace, hidesCgroups = false): string {
  return hidesCgroups ? `ip netns exec ${name}` : `nsenter --net=/run/netns/${name}`;
}

function start(line: string, options: Deno.CommandOptions = {}): Deno.ChildProcess {
  return new Deno.Command("bash", {
    args: ["-c", `exec ${line}`],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    ...options,
  }).spawn();
}

async function run(line: string, options: Deno.CommandOptions = {}): Promise<Ran> {
  const { code, stdout, stderr } = await start(line, options).output();
  const text = new TextDecoder("utf-8", { fatal: true });
  return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
}

/** What a trace calls a command's cgroup. */
const COMMAND_CGROUP = /^synsnoop-\d+-\d+-\d+$/;

/** The cgroups of traced commands that are there. */
function allCgroups(): string[] {
  const found: string[] = [];
  const look = (path: string) => {
    for (const name of foldersIn(path)) {
      if (COMMAND_CGROUP.test(name)) found.push(`${path}/${name}`);
      look(`${path}/${name}`);
    }
  };
  look(findCgroups()!.point);
  return found;
}

/** The folders in one; none where it has gone meanwhile. */
function foldersIn(path: string): string[] {
  try {
    return [...Deno.readDirSync(path)].filter((each) => each.isDirectory).map(({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** Those of other traces on this machine. */
const OTHERS = NO_CGROUP === undefined ? allCgroups() : [];

/** The cgroups that traces have left since then. */
function cgroupsLeft(): string[] {
  return allCgroups().filter((path) => !OTHERS.includes(path));
}

async function readRecords(path: string): Promise<HandshakeRecord[]> {
  return (await Deno.readTextFile(path)).trimEnd().split("\n").map((line) => JSON.parse(line))
    .filter(({ event }) => event === "handshake");
}

const portsOf = (records: readonly HandshakeRecord[]) =>
  records.map(({ server }) => server.port).toSorted();

/**
 * Connects, has a child do so, and a grandchild in a session of its own whose parent has ended; each
 * says so. The last line is on standard error.
 */
const FAMILY = `${folder}/family.sh`;
await Deno.writeTextFile(
  FAMILY,
  `echo "the command's output"
${connect(OWN)}
bash -c '${connect(CHILD)}; exit 0'
mkfifo ${folder}/done
(setsid bash -c '${connect(ORPHAN)}; echo >${folder}/done; exit 0' &)
read <${folder}/done
rm ${folder}/done
echo "the command's error" >&2
exit 7
`,
);

skippableTest(
  "trace -- COMMAND reports what it and its descendants do, in a cgroup",
  NO_CGROUP,
  async () => {
    await using namespace = await Namespace.create();
    const output = `${folder}/family.ndjson`;
    // Somebody else connects all the time.
    namespace.spawn(["bash", "-c", `while ${connect(FOREIGN)}; do :; done`]);
    const { code, stdout, stderr } = await run(
      `${inside(namespace)} ${TOOL} trace --output ${output} -- bash ${FAMILY}`,
    );
    assertEquals([code, stdout], [7, "the command's output\n"], stderr);
    assertMatch(stderr, /^the command's error$/m);
    assertMatch(stderr, /^synsnoop: running "bash"$/m);
    assertMatch(stderr, /^3 handshakes: 3 refused \(\d+ more kept back by filters\)$/m);
    const records = await readRecords(output);
    assertEquals(portsOf(records), [OWN, CHILD, ORPHAN]);
    for (const { evidence, client } of records) {
      assertEquals(evidence, ["wire", "kernel"]);
      assertMatch(client.process?.cgroup_path ?? "", /\/synsnoop-\d+-\d+-\d+$/);
    }
    assertEquals(cgroupsLeft(), []);
  },
);

skippableTest(
  "trace -- COMMAND reports the same by parents, where no cgroup is to be seen",
  NO_NAMESPACES,
  async () => {
    await using namespace = await Namespace.create();
    const output = `${folder}/parents.ndjson`;
    // They live longer than the 10 ms after which children are looked for, on a busy machine later.
    const linger = (port: number) => `bash -c 'python3 ${LINGERING} ${port} ${output}; true'`;
    const { code, stderr } = await run(
      `${inside(namespace, true)} ${TOOL} trace --output ${output} -- bash -c "${linger(OWN)}; ${
        linger(CHILD)
      }; exit 3"`,
    );
    assertEquals(code, 3, stderr);
    assertMatch(
      stderr,
      /no cgroup of its own \(no cgroup v2 is mounted\): its children are looked for every 10 ms/,
    );
    assertEquals(portsOf(await readRecords(output)), [OWN, CHILD]);
  },
);

const STATUSES: { words: string; code: number; says?: RegExp }[] = [
  { words: "true", code: 0 },
  { words: "sh -c 'exit 41'", code: 41 },
  { words: "sh -c 'kill -9 $$'", code: 137 },
  { words: "sh -c 'kill -TERM $$'", code: 143 },
  {
    words: "synsnoop-nowhere",
    code: 127,
    says: /Cannot run "synsnoop-nowhere": no folder of PATH has it/,
  },
  { words: `${folder}/nowhere`, code: 127, says: /there is no such file/ },
  { words: folder, code: 126, says: /it is a folder/ },
  { words: CLIENT, code: 126, says: /it is not executable \(chmod \+x\)/ },
];

skippableTest("trace -- COMMAND ends with the command's status", NO_NAMESPACES, async () => {
  await using namespace = await Namespace.create();
  await Promise.all(STATUSES.map(async ({ words, code, says }) => {
    const ran = await run(`${inside(namespace)} ${TOOL} trace -- ${words}`);
    assertEquals([words, ran.code, ran.stdout], [words, code, ""], ran.stderr);
    if (says) assertMatch(ran.stderr, says);
  }));
});

skippableTest(
  "trace -- COMMAND says what it reports on standard error, unless --output - is given",
  NO_NAMESPACES,
  async () => {
    await using namespace = await Namespace.create();
    const trace = (flags: string) =>
      run(`${inside(namespace)} ${TOOL} trace ${flags} -- sh -c 'echo hello; ${connect(OWN)}'`);
    const [lines, json, dash] = await Promise.all([
      trace(""),
      trace("--json"),
      trace("--output -"),
    ]);
    for (const { stdout, code } of [lines, json]) assertEquals([code, stdout], [0, "hello\n"]);
    assertMatch(lines.stderr, new RegExp(`^\\d\\d:.* refused +.*127\\.0\\.0\\.1:${OWN}\\b`, "m"));
    assertEquals(lines.stderr.includes('"event"'), false);
    assertMatch(json.stderr, /^\{"v":1,"event":"handshake".*"outcome":"refused"/m);
    assertMatch(
      dash.stdout,
      /^hello\n\{"v":1,"event":"handshake".*\n(?:\{"v":1,"event":"status".*\n)?\{"v":1,"event":"summary"/,
    );
  },
);

skippableTest(
  "trace -- COMMAND is not run where kernel events cannot come",
  NO_NAMESPACES,
  async () => {
    await using namespace = await Namespace.create();
    // Packets need no more than this; BPF programs do.
    const { code, stdout, stderr } = await run(
      `${inside(namespace)} setpriv --bounding-set=-all,+net_raw ${TOOL} trace -- /bin/echo hello`,
    );
    assertEquals([code, stdout], [1, ""], stderr);
    assertMatch(
      stderr,
      /Cannot trace "\/bin\/echo", which was not run: kernel events alone tell whose/,
    );
  },
);

skippableTest(
  "trace -- COMMAND runs as who called sudo, with the groups and the environment of that user",
  NO_NAMESPACES,
  async () => {
    await using namespace = await Namespace.create();
    const [name, uid, gid, home, shell] = await userWithGroups();
    const groups = (await run(`id -G ${name}`)).stdout.trim();
    const shows = `${folder}/shows.sh`;
    await Deno.writeTextFile(
      shows,
      `id -ru; id -u; id -G; echo "$HOME $USER $LOGNAME $SHELL \${SUDO_USER-none}"
grep ^CapEff /proc/self/status; ulimit -Sn; ls /proc/self/fd | wc -l
`,
    );
    await Deno.chmod(folder, 0o755);
    const untraced = await run(`bash ${shows}`);
    // The shell is there when the tool begins: its limit is the one that people set.
    const { code, stdout, stderr } = await run(
      `bash -c 'ulimit -Sn 777; ${inside(namespace)} ${TOOL} trace -- bash ${shows}; exit $?'`,
      {
        env: {
          ...{ SUDO_USER: name, SUDO_UID: uid, SUDO_GID: gid, SUDO_COMMAND: "synsnoop trace" },
          ...{ HOME: "/nowhere", USER: "nobody", LOGNAME: "nobody" },
        },
      },
    );
    const lines = stdout.trim().split("\n");
    assertEquals([code, ...lines], [
      ...[0, uid, uid, groups, `${home} ${name} ${name} ${shell} none`],
      ...["CapEff:\t0000000000000000", "777", untraced.stdout.trim().split("\n").at(-1)],
    ], stderr);
    assertStringIncludes(stderr, `synsnoop: running "bash" as ${name}, who called sudo\n`);
  },
);

skippableTest(
  "trace -- COMMAND ends with it, though a daemon goes on, which leaves the cgroup",
  NO_CGROUP,
  async () => {
    await using namespace = await Namespace.create();
    const pidFile = `${folder}/daemon.pid`;
    // A shell that is the command's child, not the one that execs.
    const daemon = `setsid bash -c "echo \\$\\$ >${pidFile}; ${connect(DAEMON)}; exec sleep 600"`;
    const { code, stderr } = await run(
      `${inside(namespace)} ${TOOL} trace -- bash -c '(${daemon} </dev/null >/dev/null 2>&1 &); ` +
        `until [ -s ${pidFile} ] && grep -q sleep /proc/$(cat ${pidFile})/comm; do sleep 0.01; done'`,
    );
    const pid = Number(await Deno.readTextFile(pidFile));
    try {
      assertEquals(code, 0, stderr);
      assertMatch(stderr, /^synsnoop: a process of "bash" still runs, untraced$/m);
      assertMatch(stderr, /^1 handshake: 1 refused/m);
      assertEquals(readProcessState(pid)?.comm, "sleep");
      assertEquals(cgroupsLeft(), []);
    } finally {
      Deno.kill(pid, "SIGKILL");
    }
  },
);

skippableTest(
  "a trace that was killed leaves a cgroup, which the next one removes",
  NO_CGROUP,
  async () => {
    await using namespace = await Namespace.create();
    const pidFile = `${folder}/killed.pid`;
    const tracer = start(
      `${inside(namespace)} ${TOOL} trace -- bash -c 'echo $$ >${pidFile}; exec sleep 600'`,
      { stdout: "null", stderr: "null" },
    );
    await until("the command runs", () => {
      try {
        return readProcessState(Number(Deno.readTextFileSync(pidFile)))?.comm === "sleep";
      } catch {
        return false;
      }
    }, 60_000);
    const pid = Number(await Deno.readTextFile(pidFile));
    try {
      tracer.kill("SIGKILL");
      await tracer.status;
      assertEquals(cgroupsLeft().length, 1);
      const { code, stderr } = await run(`${inside(namespace)} ${TOOL} trace -- true`);
      assertEquals(code, 0, stderr);
      assertEquals(cgroupsLeft(), []);
      assertEquals(readProcessState(pid)?.comm, "sleep");
    } finally {
      Deno.kill(pid, "SIGKILL");
    }
  },
);

skippableTest(
  "SIGTERM is handed on to the command, whose end is the trace's",
  NO_NAMESPACES,
  async () => {
    await using namespace = await Namespace.create();
    const tracer = start(
      `setsid ${inside(namespace)} ${TOOL} trace -- ` +
        `bash -c 'trap "echo asked; ${
          connect(OWN)
        }; exit 5" TERM; echo ready; while :; do sleep 0.05; done'`,
    );
    const said = { text: "" };
    const read = (async () => {
      for await (const part of tracer.stdout.pipeThrough(new TextDecoderStream())) {
        said.text += part;
      }
    })();
    const errors = new Response(tracer.stderr).text();
    await until("the command runs", () => said.text.includes("ready"), 60_000);
    tracer.kill("SIGTERM");
    tracer.kill("SIGTERM");
    const { code } = await tracer.status;
    await read;
    assertEquals([code, said.text], [5, "ready\nasked\n"]);
    assertMatch(await errors, /^1 handshake: 1 refused/m);
  },
);

skippableTest(
  "explain -- COMMAND explains its first handshake when it has ended",
  NO_NAMESPACES,
  async () => {
    await using namespace = await Namespace.create();
    const picture = `${folder}/syn.svg`;
    await Deno.writeTextFile(picture, "x".repeat(1 << 16));
    const explain = (flags: string, words: string) =>
      run(`${inside(namespace)} ${TOOL} explain ${flags} -- ${words}`);
    const [story, svg, none] = await Promise.all([
      explain("", `sh -c '${connect(OWN, CHILD)}; echo hello; exit 4'`),
      explain(`--format svg --output ${picture}`, connect(CHILD)),
      explain("", "true"),
    ]);
    assertEquals([story.code, story.stdout], [4, "hello\n"], story.stderr);
    assertMatch(story.stderr, /^TCP handshake: refused$/m);
    assertStringIncludes(story.stderr, `127.0.0.1:${OWN}`);
    assertEquals(svg.code, 0, svg.stderr);
    const drawn = await Deno.readTextFile(picture);
    assert(drawn.startsWith("<svg") && drawn.endsWith("</svg>\n"), drawn.slice(-20));
    assertEquals(none.code, 1);
    assertMatch(
      none.stderr,
      /Cannot explain a handshake of "true": (?:no handshake|\d+ handshakes?) came/,
    );
  },
);

/** A user who is in more than one group, else one that every Debian has: name, uid, gid, home and shell. */
async function userWithGroups(): Promise<string[]> {
  const users = (await run("getent passwd")).stdout.trim().split("\n").map((line) =>
    line.split(":")
  );
  const ofRoot = users.filter(([, , uid]) => uid === "0");
  const groups = await Promise.all(users.map(([name]) => run(`id -G ${name}`)));
  const [name, , uid, gid, , home, shell] =
    users.find((user, at) => !ofRoot.includes(user) && groups[at].stdout.trim().includes(" ")) ??
      users.find(([name]) => name === "daemon")!;
  return [name, uid, gid, home, shell];
}

const NO_TERMINAL = NO_SHELL ?? NO_NAMESPACES;

skippableTest(
  "a command that is traced has the terminal: its input, Ctrl-C and Ctrl-Z",
  NO_TERMINAL,
  async () => {
    await using namespace = await Namespace.create();
    await using shell = await Shell.start();
    const command = `${folder}/interactive.sh`;
    await Deno.writeTextFile(
      command,
      `trap 'echo "got INT"' INT
trap 'echo "got CONT"' CONT
echo -n "name? "; read name; echo "hello $name"
${connect(OWN)}
until [ -e ${folder}/over ]; do sleep 0.05; done
exit 9
`,
    );
    await shell.run(`${inside(namespace)} ${TOOL} trace -- bash ${command}`);
    await shell.shows(/name\? $/);
    await shell.type("founder\n");
    await shell.shows(/hello founder/);
    await shell.shows(new RegExp(`^\\d\\d:.* refused .*:${OWN}`, "m"));
    await shell.type(KEY.interrupt);
    await shell.shows(/got INT/);
    await shell.type(KEY.interrupt);
    await shell.shows(/got INT[\s\S]*got INT/);
    await shell.type(KEY.suspend);
    await shell.shows(/Stopped[\s\S]*PROMPT> $/);
    const from = shell.text.length;
    await shell.run("fg");
    await shell.shows(/got CONT/, from);
    await Deno.writeTextFile(`${folder}/over`, "");
    await shell.shows(/^lost: .*$/m, from);
    assertEquals(await shell.status(), 9);
    assertEquals(shell.text.includes("Ctrl-C again"), false);
    assertEquals(/^1 handshake: 1 refused/m.test(shell.text), true);
  },
);

skippableTest(
  "Ctrl-\\ ends a command that is traced with 131, and the trace in good order",
  NO_TERMINAL,
  async () => {
    await using namespace = await Namespace.create();
    await using shell = await Shell.start();
    await shell.run("ulimit -c 0");
    const client = `bash -c '${connect(OWN)}; echo connected; exec sleep 600'`;
    await shell.run(`${inside(namespace)} ${TOOL} trace -- ${client}`);
    await shell.shows(/^connected\r$/m);
    await shell.type("\x1c");
    await shell.shows(/^lost: .*$/m);
    assertEquals(await shell.status(), 131);
    assertMatch(shell.text, /^(?:\^\\)?1 handshake: 1 refused/m);
  },
);

skippableTest(
  "a command that is traced ends with its terminal, and leaves no cgroup",
  NO_TERMINAL ?? NO_CGROUP,
  async () => {
    await using namespace = await Namespace.create();
    const output = `${folder}/hung_up.ndjson`;
    const shell = await Shell.start();
    const client = `bash -c '${connect(OWN)}; echo "pid $$"; exec sleep 600'`;
    await shell.run(`${inside(namespace)} ${TOOL} trace --output ${output} -- ${client}`);
    await shell.shows(/^pid \d+\r$/m);
    const pid = Number(/^pid (\d+)\r$/m.exec(shell.text)![1]);
    await shell.hangUp();
    await until("the command is gone", () => readProcessState(pid) === undefined, 30_000);
    await until("the trace is, too", () => cgroupsLeft().length === 0, 30_000);
    await until(
      "the summary is written",
      async () => (await Deno.readTextFile(output)).includes('"event":"summary"'),
      30_000,
    );
    assertEquals(portsOf(await readRecords(output)), [OWN]);
  },
);

skippableTest(
  "trace --count ends before the command, whose status it waits for",
  NO_NAMESPACES,
  async () => {
    await using namespace = await Namespace.create();
    const flag = `${folder}/counted`;
    const tracer = start(
      `${inside(namespace)} ${TOOL} trace --count 1 -- ` +
        `bash -c '${connect(OWN, CHILD)}; until [ -e ${flag} ]; do sleep 0.05; done; exit 6'`,
    );
    let said = "";
    const read = (async () => {
      for await (const part of tracer.stderr.pipeThrough(new TextDecoderStream())) said += part;
    })();
    await until("the summary is said", () => /^lost: /m.test(said), 60_000);
    await Deno.writeTextFile(flag, "");
    const { code } = await tracer.status;
    await read;
    await tracer.stdout.cancel();
    assertEquals(code, 6, said);
    assertMatch(said, /^1 handshake: 1 refused/m);
  },
);

skippableTest(
  "trace -- COMMAND says that it was not run where the trace ends before",
  NO_TERMINAL,
  async () => {
    await using namespace = await Namespace.create();
    await using shell = await Shell.start();
    await shell.run(`${inside(namespace)} ${TOOL} trace -- echo hello`);
    await shell.shows(/capturing packets/);
    await shell.type(KEY.interrupt);
    await shell.shows(/"echo" was not run: the trace ended before/);
    assertEquals(await shell.status(), 1);
  },
);

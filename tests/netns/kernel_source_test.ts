// Covers src/linux/probes/kernel_maps.ts
import { assert, assertEquals, assertGreater, assertMatch } from "@std/assert";
import { BpfMap, heldBpf } from "../../src/linux/probes/bpf_map.ts";
import { Bpftrace } from "../../src/linux/probes/bpftrace.ts";
import { sampleClocks } from "../../src/linux/clocks.ts";
import {
  KernelSource,
  type KernelSourceOptions,
  type KernelSourceState,
} from "../../src/linux/probes/kernel_source.ts";
import { exists } from "../../src/linux/probes/kernel_files.ts";
import { BTF, NarrowedBtf } from "../../src/linux/probes/narrowed_btf.ts";
import { findExecutable } from "../../src/linux/host.ts";
import { readProcessState } from "../../src/linux/process_state.ts";
import { type ProbeProgram, readProbePrograms } from "../../src/linux/probes/probe_programs.ts";
import { SOCK_ADDRESSES } from "../../src/kernel/choose_probes.ts";
import type { KernelEnd, KernelRecord } from "../../src/kernel/kernel_record.ts";
import { narrowBtf } from "../../src/kernel/narrow_btf.ts";
import { ClockAxis } from "../../src/match/clock.ts";
import { compileC } from "./compile.ts";
import { Namespace, namespaceTest, until } from "./namespace.ts";

const PORT = 4436;
const READY_MS = 60_000;
/** What works on every kernel that these tests run on. */
const PROGRAMS = await readProbePrograms(["tracepoint"], []);
const folder = await Deno.makeTempDir({ prefix: "synsnoop-kernel-" });
globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
const connectLoad = await compileC(new URL("connect_load.c", import.meta.url), folder);
const executable = findExecutable("bpftrace")!;

/** A source whose records and states are kept. */
class Watched {
  readonly states: KernelSourceState[] = [];
  readonly sentences: string[] = [];
  readonly notes: string[] = [];
  /** Records of the tests' port. */
  readonly records: KernelRecord[] = [];
  /** How many there were of all: the kernel tells of every namespace. */
  taken = 0;
  readonly axis = new ClockAxis(0);
  readonly source: KernelSource;

  constructor(options: Partial<KernelSourceOptions> = {}) {
    const { realtimeNs, boottimeNs } = sampleClocks();
    this.axis.sample(realtimeNs, boottimeNs);
    this.source = new KernelSource({
      executable,
      programs: PROGRAMS,
      decoding: {
        placeBoottime: (high, low) => this.axis.fromBoottime(high, low),
        dropReason: String,
        resetReason: String,
      },
      onRecord: (record) => {
        this.taken++;
        if (isOurs(record)) this.records.push(record);
      },
      onChange: (state, sentence) => {
        this.states.push(state);
        this.sentences.push(sentence);
      },
      onNote: (sentence) => this.notes.push(sentence),
      ...options,
    });
  }

  async is(state: KernelSourceState): Promise<void> {
    await until(`the source is "${state}"`, () => this.states.includes(state), READY_MS);
  }

  kinds(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { kind } of this.records) counts[kind] = (counts[kind] ?? 0) + 1;
    return counts;
  }

  halves(kind: KernelEnd["kind"]): KernelEnd[] {
    return this.records.filter((record): record is KernelEnd => record.kind === kind);
  }
}

function isOurs(record: KernelRecord): boolean {
  return "localPort" in record && record.localPort === PORT ||
    "remotePort" in record && record.remotePort === PORT;
}

await namespaceTest("KernelSource drains a record a side of each handshake, in order", async () => {
  await using namespace = await Namespace.create();
  const watched = new Watched();
  await watched.is("map");
  const beganNs = Number(sampleClocks().realtimeNs);
  await namespace.run(connectLoad, "127.0.0.1", String(PORT), "200");
  watched.source.drain();
  const endedNs = Number(sampleClocks().realtimeNs);
  // A listener that begins and ends, and both sides of each handshake.
  assertEquals(watched.kinds(), { client: 200, server: 200, listener: 2 });
  for (const [index, record] of watched.records.entries()) {
    assert(record.endNs >= beganNs && record.endNs <= endedNs);
    if (index > 0) assert(record.endNs >= watched.records[index - 1].endNs);
  }
  const clients = new Map(watched.halves("client").map((record) => [record.iss, record]));
  for (const server of watched.halves("server")) {
    const client = clients.get(server.irs!)!;
    assertEquals(client.irs, server.iss);
    assertEquals(client.localPort, server.remotePort);
    assertEquals(client.comm, "connect_load");
    assert(client.connectNs! < client.endNs);
    assert(client.endNs < server.endNs);
  }
  const { mapRecords, lines } = await watched.source.stop();
  assertEquals([mapRecords, lines], [0, 0]);
});

await namespaceTest("KernelSource counts exactly what a full map turned away", async () => {
  await using namespace = await Namespace.create();
  const watched = new Watched({ mapEntries: 64 });
  await watched.is("map");
  // Nobody drains: two records for each of 500 handshakes and two of the listener, in 64 places.
  await namespace.run(connectLoad, "127.0.0.1", String(PORT), "500");
  const { mapRecords } = await watched.source.stop();
  // Other programs of the machine may have connected meanwhile: their records count too.
  assert(watched.taken > 0 && watched.records.length <= 64);
  assert(watched.taken + mapRecords! >= 1_002, `${watched.taken} taken, ${mapRecords} lost`);
});

await namespaceTest("KernelSource says why it cannot run what is not there", async () => {
  const watched = new Watched({ executable: `${folder}/absent` });
  // What wraps bpftrace starts and does not find it.
  await watched.is("off");
  assert(watched.sentences[0].includes("absent"), watched.sentences[0]);
  await watched.source.stop();
});

/** The scripts' names in place of their texts, and a program that treats each as it is told. */
async function standIn(cases: Record<string, string>): Promise<Partial<KernelSourceOptions>> {
  const path = `${await Deno.makeTempDir({ dir: folder })}/bpftrace`;
  const arms = Object.entries(cases).map(([name, command]) => `${name}) ${command} ;;`);
  // Its arguments are -B line -e TEXT MODE.
  const script = `#!/bin/sh\ncase $4 in\n${arms.join("\n")}\nesac\nexec "${executable}" "$@"\n`;
  await Deno.writeTextFile(path, script, { mode: 0o755 });
  return { executable: path };
}

/** The real one, behind some shell commands. */
async function wrapped(script: string): Promise<string> {
  const path = `${await Deno.makeTempDir({ dir: folder })}/bpftrace`;
  await Deno.writeTextFile(path, `#!/bin/sh\n${script}\nexec "${executable}" "$@"\n`, {
    mode: 0o755,
  });
  return path;
}

const CHAIN: ProbeProgram[] = [
  {
    mechanism: "fentry",
    words: "fentry probes",
    lacks: "",
    tellsAccept: true,
    mapEntriesMin: 0,
    text: "FENTRY",
  },
  {
    mechanism: "kprobe",
    words: "kprobes",
    lacks: "",
    tellsAccept: true,
    mapEntriesMin: 0,
    text: "KPROBE",
  },
  {
    mechanism: "tracepoint",
    words: "the tracepoint",
    lacks: "no SYN cookies",
    tellsAccept: false,
    mapEntriesMin: 0,
    text: "TRACEPOINT",
  },
];

await namespaceTest("KernelSource tries one program after the other and says why", async () => {
  await using namespace = await Namespace.create();
  const programs = [CHAIN[0], CHAIN[1], { ...CHAIN[2], text: PROGRAMS[0].text }];
  const watched = new Watched({
    programs,
    ...await standIn({
      FENTRY: "echo 'a warning' >&2; echo 'stdin:1:1-9: ERROR: no \\033[2J such probe' >&2; " +
        "echo 'and the source line' >&2; exit 1",
      KPROBE: "kill -KILL $$",
    }),
  });
  await watched.is("map");
  assertEquals(watched.states, ["starting", "starting", "map"]);
  assertEquals(watched.sentences, [
    'bpftrace could not attach fentry probes, saying "ERROR: no \x1b[2J such probe"; trying kprobes',
    "bpftrace ended by SIGKILL before it had attached kprobes; trying the tracepoint: " +
    "no SYN cookies",
    "kernel events come from the tracepoint",
  ]);
  // What was tried before leaves nothing behind.
  await namespace.run(connectLoad, "127.0.0.1", String(PORT), "10");
  watched.source.drain();
  assertEquals(watched.kinds(), { client: 10, server: 10, listener: 2 });
  const { mapRecords, lines } = await watched.source.stop();
  assertEquals([mapRecords, lines], [0, 0]);
});

await namespaceTest("KernelSource waits for no program longer than it may take", async () => {
  const hang = 'echo $$ >>"$0.pids"; exec sleep 1000';
  const options = await standIn({ KPROBE: hang, TRACEPOINT: hang });
  const watched = new Watched({ programs: CHAIN.slice(1), readyMs: 2_000, ...options });
  await watched.is("off");
  assertEquals(watched.sentences, [
    "bpftrace had not attached kprobes within 2 s; trying the tracepoint: no SYN cookies",
    "bpftrace had not attached the tracepoint within 2 s",
  ]);
  await watched.source.stop();
  const pids = (await Deno.readTextFile(`${options.executable}.pids`)).trim().split("\n");
  assertEquals(pids.length, 2);
  for (const pid of pids) await until(`${pid} has ended`, () => !exists(`/proc/${pid}`));
});

await namespaceTest("KernelSource waits for none that does nothing", async () => {
  const options = await standIn({
    KPROBE: "exec sleep 1000",
    // What it started holds on to its output.
    TRACEPOINT: 'sleep 1000 & echo "ERROR: the words" >&2; echo $! >"$0.pid"; exit 1',
  });
  const watched = new Watched({ programs: CHAIN.slice(1), idleMs: 1_000, ...options });
  await watched.is("off");
  assertEquals(watched.sentences, [
    "bpftrace did nothing for 1 s before it had attached kprobes; trying the tracepoint: " +
    "no SYN cookies",
    'bpftrace could not attach the tracepoint, saying "ERROR: the words"',
  ]);
  assertGreater((await watched.source.stop()).awayMs, 0);
  Deno.kill(await childOf(options.executable!), "SIGKILL");
});

/** The process that a source runs. */
async function childOf(path: string): Promise<number> {
  const pid = Number(await Deno.readTextFile(`${path}.pid`));
  // A signal for 0 would be one for this test and all around it.
  assertGreater(pid, 0);
  return pid;
}

await namespaceTest(
  "KernelSource starts again what has ended, and tells for how long",
  async () => {
    await using namespace = await Namespace.create();
    const path = await wrapped('echo $$ >"$0.pid"');
    const watched = new Watched({ executable: path });
    await watched.is("map");
    await namespace.run(connectLoad, "127.0.0.1", String(PORT), "10");
    // It dies with all its records: the map is still here.
    Deno.kill(await childOf(path), "SIGKILL");
    await until("it is told", () => watched.states.includes("starting"));
    assertEquals(watched.kinds(), { client: 10, server: 10, listener: 2 });
    await until("it attached again", () => watched.states.at(-1) === "map", READY_MS);
    const [, ended, again] = watched.sentences;
    assertEquals(
      ended,
      "bpftrace ended by SIGKILL; going on with packets alone until it has attached again",
    );
    const away = /come again, after (\d+\.\d) s, from the tracepoint$/.exec(
      again,
    );
    assert(away, again);
    await namespace.run(connectLoad, "127.0.0.1", String(PORT), "10");
    const { recursionMisses, mapRecords, lines, awayMs } = await watched.source.stop();
    assertEquals(watched.kinds(), { client: 20, server: 20, listener: 4 });
    assertEquals([recursionMisses, mapRecords, lines], [undefined, 0, 0]);
    assertEquals((awayMs / 1000).toFixed(1), away[1]);
    assertGreater(awayMs, 1_000);
  },
);

await namespaceTest("KernelSource that cannot attach again says so once and tries on", async () => {
  // Only its first run and its seventh succeed.
  const path = await wrapped(
    'echo $$ >"$0.pid"; echo run >>"$0.runs"; ' +
      'case $(wc -l <"$0.runs") in [23456]) echo "ERROR: not now" >&2; exit 1 ;; esac',
  );
  const programs = [{ ...CHAIN[1], text: PROGRAMS[0].text }, {
    ...CHAIN[2],
    text: PROGRAMS[0].text,
  }];
  const watched = new Watched({ executable: path, programs });
  await watched.is("map");
  Deno.kill(await childOf(path), "SIGTERM");
  await until(
    "it attached again",
    () => watched.states.filter((state) => state === "map").length > 1,
    READY_MS,
  );
  const again = watched.sentences.pop()!;
  assert(
    /come again, after \d+\.\d s, from the tracepoint$/.test(again),
    again,
  );
  assertEquals(watched.sentences, [
    "kernel events come from kprobes",
    "bpftrace ended with status 0; going on with packets alone until it has attached again",
    'bpftrace could not attach kprobes, saying "ERROR: not now"; trying the tracepoint: ' +
    "no SYN cookies",
    'bpftrace could not attach the tracepoint, saying "ERROR: not now"; ' +
    "trying again, at most every 30 s",
  ]);
  // A second, then two, then four.
  assertGreater((await watched.source.stop()).awayMs, 7_000);
});

await namespaceTest("KernelSource goes on without one that cannot be run again", async () => {
  const first = PROGRAMS[0].text.replace("0x0404040404040404", "0x0404040404040405");
  // Longer than an argument may be: execve(2) fails with E2BIG.
  const texts = [first, "x".repeat(200_000)];
  const program: ProbeProgram = {
    ...CHAIN[2],
    get text() {
      return texts.shift()!;
    },
  };
  const watched = new Watched({ programs: [program] });
  const pid = () => watched.source.pid;
  await until("it is started", () => pid() !== undefined);
  const started = pid()!;
  await watched.is("off");
  await until("the first one has ended", () => !exists(`/proc/${started}`));
  assertEquals(watched.states, ["starting", "off"]);
  assertMatch(watched.sentences[0], /^Cannot read bpftrace's map: .*; starting over with printed/);
  assertMatch(watched.sentences[1], /^Cannot run ".*": .*E2BIG|too long/i);
  assertEquals(pid(), undefined);
  await watched.source.stop();
});

await namespaceTest("KernelSource ends one that was stopped while it printed lines", async () => {
  const path = await wrapped('echo $$ >"$0.pid"');
  const text = PROGRAMS[0].text.replace("0x0404040404040404", "0x0404040404040405");
  const watched = new Watched({ executable: path, programs: [{ ...CHAIN[2], text }] });
  await watched.is("lines");
  const pid = await childOf(path);
  Deno.kill(pid, "SIGSTOP");
  await until(
    "it runs again",
    () => watched.states.filter((state) => state === "lines").length > 1,
  );
  assert(!exists(`/proc/${pid}`));
  const [, , stopped, again] = watched.sentences;
  assertEquals(
    stopped,
    "bpftrace was stopped by a signal, and prints no more; " +
      "going on with packets alone until it has attached again",
  );
  assert(
    /come again, after .* s, as printed lines from the tracepoint, which/.test(again),
    again,
  );
  await watched.source.stop();
});

await namespaceTest("KernelSource that is stopped starts nothing again", async () => {
  const [stopped, other] = [await wrapped('echo $$ >"$0.pid"'), await wrapped('echo $$ >"$0.pid"')];
  const watched = new Watched({ executable: stopped });
  const later = new Watched({ executable: other });
  for (const each of [watched, later]) await each.is("map");
  const pid = await childOf(stopped);
  for (const path of [stopped, other]) Deno.kill(await childOf(path), "SIGKILL");
  for (const each of [watched, later]) await each.is("starting");
  assertGreater((await watched.source.stop()).awayMs, 0);
  await until("the other one attached again", () => later.states.at(-1) === "map", READY_MS);
  assertEquals([watched.states, await childOf(stopped)], [["map", "starting"], pid]);
  await later.source.stop();
});

await namespaceTest("KernelSource that is stopped goes on with no other program", async () => {
  const options = await standIn({ KPROBE: 'echo $$ >"$0.pid"; exec sleep 1000' });
  const watched = new Watched({ programs: CHAIN.slice(1), ...options });
  await until("it runs", () => exists(`${options.executable}.pid`));
  await watched.source.stop();
  assertEquals([watched.states, watched.sentences], [[], []]);
});

await namespaceTest("KernelSource reads lines of a program whose map is another", async () => {
  await using namespace = await Namespace.create();
  const text = PROGRAMS[0].text.replace("0x0404040404040404", "0x0404040404040405");
  const watched = new Watched({ programs: [{ ...CHAIN[2], text }] });
  await watched.is("lines");
  assertEquals(watched.sentences, [
    "Cannot read bpftrace's map: its sentinel is laid out in another way; " +
    "starting over with printed lines",
    "kernel events come as printed lines from the tracepoint, which costs more",
  ]);
  await namespace.run(connectLoad, "127.0.0.1", String(PORT), "10");
  await until("all lines came", () => watched.records.length === 22);
  assertEquals(watched.kinds(), { client: 10, server: 10, listener: 2 });
  assertEquals((await watched.source.stop()).lines, 0);
});

await namespaceTest(
  "KernelSource goes on with what needs less where maps are too small",
  async () => {
    const [{ text }] = PROGRAMS;
    const first = { ...CHAIN[1], mapEntriesMin: 64, text };
    const programs = [first, { ...CHAIN[2], text }];
    const forgetful = await wrapped("unset BPFTRACE_MAP_KEYS_MAX BPFTRACE_MAX_MAP_KEYS");
    const asked = { mapEntries: 8192, executable: forgetful };
    const watched = new Watched({
      programs: [{ ...first, mapEntriesMin: 8000 }, programs[1]],
      ...asked,
    });
    await watched.is("map");
    assertEquals(watched.sentences, [
      "bpftrace's maps have 4096 entries, and kprobes need 8000; trying the tracepoint: no SYN cookies",
      "kernel events come from the tracepoint",
    ]);
    assertEquals(watched.notes, [
      "bpftrace's maps have 4096 entries, not 8192 as asked: where more connections are under way at " +
      "once, some lack what the kernel tells of them",
    ]);
    await watched.source.stop();
    // Where they are smaller than asked and large enough, or nothing needs less, that is said alone.
    for (const each of [programs, [{ ...first, mapEntriesMin: 8000 }]]) {
      const content = new Watched({ programs: each, ...asked });
      await content.is("map");
      assertEquals([content.states, content.notes], [["map"], watched.notes]);
      await content.source.stop();
    }
  },
);

await namespaceTest("KernelSource reads the map of a bpftrace by any name", async () => {
  for (const name of ["ein anderer", "\u00e4\n|fifteen", "a longer name than it takes"]) {
    const path = `${await Deno.makeTempDir({ dir: folder })}/${name}`;
    await Deno.copyFile(executable, path);
    const watched = new Watched({ executable: path });
    await watched.is("map");
    await watched.source.stop();
  }
});

await namespaceTest("KernelSource repeats what bpftrace says while it runs, once", async () => {
  const says = "echo 'a new warning' >&2; echo 'Attached 3 probes' >&2; echo >&2; " +
    '(sleep 0.1; until [ -e "$0.attached" ]; do sleep 0.1; done; ' +
    "echo 'another'; echo 'another'; echo 'a new warning'; echo 'Lost 7 events'; " +
    'for each in $(seq 30); do echo "number $each"; done) >&2 &';
  const path = await wrapped(says);
  const watched = new Watched({ executable: path });
  await watched.is("map");
  assertEquals(watched.notes, ['bpftrace says "a new warning"']);
  await Deno.writeTextFile(`${path}.attached`, "");
  await until("all is said", () => watched.notes.length === 20);
  assertEquals(watched.notes.slice(1, 3), ['bpftrace says "another"', 'bpftrace says "number 1"']);
  assertEquals(
    watched.notes.at(-1),
    'bpftrace says "number 18"; more of its words are not repeated',
  );
  assertEquals((await watched.source.stop()).lines, 7);
  assertEquals(watched.notes.length, 20);
});

Deno.test("readProcessState tells how a process is, by any name", async () => {
  const path = `${folder}/) Z 1 (`;
  await Deno.copyFile("/bin/sleep", path);
  const child = new Deno.Command(path, { args: ["1000"] }).spawn();
  const letter = () => readProcessState(child.pid)?.letter;
  await until("it sleeps", () => letter() === "S");
  child.kill("SIGSTOP");
  await until("it is stopped", () => letter() === "T");
  child.kill("SIGKILL");
  await child.status;
  assertEquals(readProcessState(child.pid), undefined);
  const before = readProcessState(Deno.pid)!.cpuTicks;
  await until("this process took time", () => readProcessState(Deno.pid)!.cpuTicks > before);
});

Deno.test("readProbePrograms joins the fragments, and leaves a last resort without them", async () => {
  const programs = await readProbePrograms(["fentry", "kprobe", "tracepoint"], ["drop", "reset"]);
  assertEquals(programs.map(({ words }) => words), [
    "fentry probes",
    "kprobes",
    "the tracepoint",
    "the tracepoint alone",
  ]);
  assertEquals(programs[3].lacks, "no reasons of drops and resets");
  const holds = (name: string) => programs.map(({ text }) => text.includes(`\n${name}\n`));
  assertEquals(holds("tracepoint:skb:kfree_skb"), [true, true, true, false]);
  assertEquals(holds("tracepoint:tcp:tcp_send_reset"), [true, true, true, false]);
  assertEquals(holds("tracepoint:sock:inet_sock_set_state"), [false, false, true, true]);
  assertEquals(holds("kfunc:tcp_set_state"), [true, false, false, false]);
  assertEquals(holds("kprobe:tcp_connect"), [false, true, false, false]);
  // Linux takes no longer argument (MAX_ARG_STRLEN).
  for (const { text } of programs) assert(text.length < 131_072);
  // Function probes keep SYNs in slots, and read an address where the facts have it proven.
  const slots = `0x${(programs[0].mapEntriesMin - 1).toString(16)}`;
  for (const { text } of programs.slice(0, 2)) {
    assertEquals(
      text.match(/\(uint64\)0x\w+fff\b/g)?.filter((mask) => mask.endsWith(slots)).length,
      3,
    );
    const { skc_v6_daddr: remote, skc_v6_rcv_saddr: local } = SOCK_ADDRESSES;
    assertEquals(local, remote + 16);
    const [, before] = /before\[(\d+)\]; unsigned char remote\[16\]; .* local\[16\]/.exec(text)!;
    assertEquals(Number(before), remote);
  }
  assertEquals(programs.map(({ mapEntriesMin }) => mapEntriesMin > 0), [true, true, false, false]);
  // Who asks for one mechanism gets that one, and has no last resort.
  assertEquals((await readProbePrograms(["kprobe"], ["drop"])).length, 1);
  assertEquals((await readProbePrograms(["tracepoint"], [])).length, 1);
});

await namespaceTest(
  "BpfMap reads, sums and takes the entries of another process's map",
  async () => {
    const program = "BEGIN { @a[(uint64)1] = (uint64)10; @a[(uint64)2] = (uint64)20; " +
      '@n[(uint64)0] = count(); @n[(uint64)0] = count(); printf("ready\\n"); }';
    const lines: string[] = [];
    const bpftrace = new Bpftrace({
      executable,
      program,
      mode: 1,
      mapEntries: 16,
      onLine: (line) => lines.push(line),
    });
    await until("it is ready", () => lines.includes("ready"), READY_MS);
    const { maps: held, recursionMisses } = heldBpf(bpftrace.pid);
    assertEquals(recursionMisses, 0);
    const hashes = held.filter(({ isHash }) => isHash);
    assertEquals(hashes.map(({ maxEntries }) => maxEntries), [16, 16]);
    const maps = held.map(({ id }) => BpfMap.open(id));
    const [entries, counter] = ["AT_a", "AT_n"].map((name) =>
      maps.find((map) => map.name === name)!
    );
    assertEquals([entries.keySize, entries.valueSize, entries.maxEntries], [8, 8, 16]);
    const read = (take: boolean) => {
      const found = new Map<bigint, bigint>();
      entries.read(take, ({ keys, values, count }) => {
        for (let at = 0; at < count * 8; at += 8) {
          found.set(keys.getBigUint64(at, true), values.getBigUint64(at, true));
        }
        assertEquals(count, found.size);
      });
      return found;
    };
    assertEquals(read(false), new Map([[1n, 10n], [2n, 20n]]));
    assertEquals(counter.sumOfZeroKey(), 2);
    bpftrace.kill("SIGKILL");
    await bpftrace.ended;
    // The map outlives the process that made it.
    assertEquals(read(true), new Map([[1n, 10n], [2n, 20n]]));
    assertEquals(read(true), new Map());
    for (const map of maps) map[Symbol.dispose]();
    assertEquals(heldBpf(bpftrace.pid), { maps: [], recursionMisses: 0 });
  },
);

await namespaceTest("Bpftrace ends by itself when it is stopped", async () => {
  const bpftrace = new Bpftrace({
    executable,
    program: PROGRAMS[0].text,
    mode: 2,
    mapEntries: 16,
    onLine: (line) => lines.push(line),
  });
  const lines: string[] = [];
  await until("it is ready", () => lines.some((line) => line.startsWith("ready|")), READY_MS);
  await bpftrace.stop();
  assert(lines.some((line) => line.startsWith("end|")));
  assertEquals((await bpftrace.ended).words, []);
});

Deno.test({
  name: "NarrowedBtf is there for others until it is disposed of, and not for functions' numbers",
  ignore: Deno.build.arch !== "x86_64" || !exists(BTF),
  fn: async () => {
    const { text } = PROGRAMS[0];
    let path: string;
    {
      using narrowed = NarrowedBtf.for(text)!;
      path = narrowed.path;
      const { stdout } = await new Deno.Command("cat", { args: [path] }).output();
      const whole = Deno.readFileSync(BTF);
      assertEquals(stdout, narrowBtf(whole, text));
      assertGreater(whole.length, stdout.length);
    }
    assert(!exists(path));
    const [{ text: functions }] = await readProbePrograms(["fentry"], []);
    assertEquals(NarrowedBtf.for(functions), undefined);
  },
});

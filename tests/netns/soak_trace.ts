/**
 * Traces that go on for long: one whose output is read from a pipe or left alone, and one that writes
 * to files which others rotate.
 *
 * @module
 */
import { processTree, residentMb } from "../bench/process_cost.ts";
import { taskCommand } from "../bench/task_command.ts";
import type { HandshakeRecord } from "../../src/record/record.ts";
import { type Namespace, until } from "./namespace.ts";
import { type Counts, isOddlyNamed, SOAK_PORTS } from "./soak_traffic.ts";
import type { SummaryRecord } from "./tracer.ts";

/** Attaching, or catching up, on a machine that does much else. */
export const PATIENCE_MS = 120_000;

/** Lines of records that are kept to be shown. */
const SUSPECTS_MAX = 20;

/** A trace and what it reported so far. */
export abstract class SoakTrace {
  /** What it is called in findings. */
  abstract readonly name: string;
  /** Reported so far, by outcome. */
  readonly reported: Counts = {};
  /** Reported of namespaces of others, by outcome: the kernel tells of all that use a port. */
  readonly foreign: Counts = {};
  /** Lines of records that may be too many: of a handshake reported before, or seen by the kernel alone. */
  readonly suspects: string[] = [];
  /** Reported with a client whose names are no UTF-8. */
  madeByOdd = 0;
  /** Reported with what the kernel knows. */
  withKernel = 0;
  summary: SummaryRecord | undefined;
  /** Memory of Deno, MB, whenever it was looked at. */
  readonly memoryMb: number[] = [];
  readonly stderr: string[] = [];
  readonly #namespaces: ReadonlySet<number | null>;
  readonly #handshakes = new Set<string>();
  readonly #child: Deno.ChildProcess;
  readonly #readingStderr: Promise<void>;

  /** @param hosts The namespaces of what is to be reported; it runs in the first. */
  protected constructor(
    hosts: readonly Namespace[],
    args: readonly string[],
    stdout: "piped" | "null",
  ) {
    this.#namespaces = new Set(hosts.map(({ name }) => Deno.statSync(`/run/netns/${name}`).ino));
    // `ip netns exec` gives it a /sys without control groups.
    const groups = 'mount -t cgroup2 none /sys/fs/cgroup 2>/dev/null; exec "$@"';
    this.#child = hosts[0].spawn(
      ["sh", "-c", groups, "sh", ...taskCommand("trace"), "--port", SOAK_PORTS, ...args],
      { stdout, stderr: "piped" },
    );
    this.#readingStderr = eachLine(this.#child.stderr, (line) => this.stderr.push(line));
  }

  protected get stdout(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.#child.stdout;
  }

  /** Takes what it has written by now. */
  abstract refresh(): void;

  /** Waits until all that it wrote has been taken; it has ended. */
  protected abstract readAll(): Promise<void>;

  /** Reported so far with one of some outcomes; with any, where none is given. */
  count(...outcomes: string[]): number {
    this.refresh();
    return Object.entries(this.reported)
      .filter(([outcome]) => outcomes.length === 0 || outcomes.includes(outcome))
      .reduce((sum, [, count]) => sum + count, 0);
  }

  /** Waits until it says something on standard error that it has not said before `act`. */
  async saysAfter(act: () => unknown, ...patterns: RegExp[]): Promise<void> {
    const from = this.stderr.length;
    await act();
    await Promise.all(patterns.map((pattern) => this.says(pattern, from)));
  }

  /** Waits until it has said something on standard error. @param from The first line looked at. */
  async says(pattern: RegExp, from = 0): Promise<string> {
    const find = () => this.stderr.slice(from).find((line) => pattern.test(line));
    await until(`${this.name}: a line ${pattern}`, () => find() !== undefined, PATIENCE_MS);
    return find()!;
  }

  signal(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** Kills the bpftrace that it runs. */
  async killBpftrace(): Promise<void> {
    for (const pid of await processTree(this.#child.pid)) {
      const comm = await Deno.readTextFile(`/proc/${pid}/comm`);
      if (comm.trim() === "bpftrace") Deno.kill(pid, "SIGKILL");
    }
  }

  weigh(): void {
    this.memoryMb.push(residentMb(this.#child.pid).now);
  }

  /** Ends it as a task runner or a service manager does, which signal twice. */
  async stop(): Promise<Deno.CommandStatus> {
    this.signal("SIGINT");
    this.signal("SIGTERM");
    await this.#readingStderr;
    const status = await this.#child.status;
    await this.readAll();
    return status;
  }

  #suspect({ evidence, client, server }: HandshakeRecord, line: string): void {
    const { size } = this.#handshakes;
    const ends = [client, server].map(({ address, port }) => `${address} ${port}`);
    this.#handshakes.add(`${ends.join(" ")} ${client.isn}`);
    const isSecond = this.#handshakes.size === size;
    if (!isSecond && evidence.includes("wire")) return;
    if (this.suspects.length < SUSPECTS_MAX) this.suspects.push(line);
  }

  protected take(line: string): void {
    const record = JSON.parse(line);
    if (record.event === "summary") {
      this.summary = record;
      return;
    }
    if (record.event === "status") return;
    const { evidence, network: { netns } } = record;
    const isForeign = !evidence.includes("wire") && netns !== undefined &&
      !this.#namespaces.has(netns);
    const counts = isForeign ? this.foreign : this.reported;
    counts[record.outcome] = (counts[record.outcome] ?? 0) + 1;
    if (!isForeign) this.#suspect(record, line);
    if (evidence.includes("kernel")) this.withKernel++;
    if (isOddlyNamed(record.client.process)) this.madeByOdd++;
  }
}

/** A trace of every interface, whose output is read or left alone. */
export class PipedTrace extends SoakTrace {
  override readonly name = "to a pipe";
  readonly #reading: Promise<void>;
  #mayRead: PromiseWithResolvers<void> = Promise.withResolvers();

  constructor(hosts: readonly Namespace[]) {
    super(hosts, ["--json"], "piped");
    this.#mayRead.resolve();
    this.#reading = eachLine(this.stdout, (line) => this.take(line), () => this.#mayRead.promise);
  }

  /** Reads nothing until {@linkcode unblock}. */
  block(): void {
    this.#mayRead = Promise.withResolvers();
  }

  unblock(): void {
    this.#mayRead.resolve();
  }

  override refresh(): void {}

  protected override readAll(): Promise<void> {
    return this.#reading;
  }
}

/** A trace of some interfaces to files: records, and the packets of the handshakes. */
export class FileTrace extends SoakTrace {
  override readonly name = "to files";
  /** Handshakes in the packets that it wrote, in files that were rotated away. */
  handshakesInPackets = 0;
  readonly #records: string;
  readonly #packets: string;
  readonly #decoder = new TextDecoder();
  #file: Deno.FsFile;
  #rest = "";

  /** @param folder For its files. */
  constructor(hosts: readonly Namespace[], folder: string, interfaces: readonly string[]) {
    const [records, packets] = [`${folder}/records.ndjson`, `${folder}/packets.pcapng`];
    const where = ["--interface", interfaces.join(",")];
    super(hosts, [...where, "--output", records, "--write", packets], "null");
    [this.#records, this.#packets] = [records, packets];
    Deno.writeTextFileSync(records, "");
    this.#file = Deno.openSync(records);
  }

  override refresh(): void {
    const bytes = new Uint8Array(65_536);
    for (let count; (count = this.#file.readSync(bytes)) !== null;) {
      const text = this.#decoder.decode(bytes.subarray(0, count), { stream: true });
      const lines = (this.#rest + text).split("\n");
      this.#rest = lines.pop()!;
      for (const line of lines) this.take(line);
    }
  }

  /** Renames its files, as logrotate does, and waits until it goes on in new ones. */
  async rotate(): Promise<void> {
    await this.saysAfter(
      () => {
        for (const path of [this.#records, this.#packets]) Deno.renameSync(path, `${path}.1`);
      },
      /records\.ndjson" was renamed or replaced: it is begun anew$/,
      /packets\.pcapng" was renamed or replaced: it is begun anew$/,
    );
    this.#finishRecords();
    this.#file.close();
    Deno.removeSync(`${this.#records}.1`);
    this.#file = Deno.openSync(this.#records);
    await this.#readPackets(`${this.#packets}.1`);
  }

  /** Empties its file of records, all of them read, as logrotate's copytruncate does. */
  copyAndTruncate(): void {
    this.#finishRecords();
    Deno.copyFileSync(this.#records, `${this.#records}.copy`);
    Deno.truncateSync(this.#records);
    this.#file.seekSync(0, Deno.SeekMode.Start);
    Deno.removeSync(`${this.#records}.copy`);
  }

  protected override async readAll(): Promise<void> {
    this.#finishRecords();
    this.#file.close();
    await this.#readPackets(this.#packets);
  }

  #finishRecords(): void {
    this.refresh();
    if (this.#rest !== "") throw new Error(`Cannot go on: a torn record "${this.#rest}"`);
  }

  /** Counts the handshakes in a file of packets, and removes it. */
  async #readPackets(path: string): Promise<void> {
    const [command, ...args] = taskCommand("read");
    const { success, stdout, stderr } = await new Deno.Command(command, {
      args: [...args, "--json", path],
      stdin: "null",
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    if (!success) throw new Error(`Cannot go on: its packets cannot be read: ${text(stderr)}`);
    this.handshakesInPackets += text(stdout).split("\n")
      .filter((line) => line !== "" && JSON.parse(line).event === "handshake").length;
    Deno.removeSync(path);
  }
}

/** Hands on each line; before each read it waits for `mayRead`, so that the pipe fills. */
async function eachLine(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  take: (line: string) => void,
  mayRead: () => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    await mayRead();
    const { value, done } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop()!;
    lines.forEach(take);
  }
}

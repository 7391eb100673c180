// Which sockets processes have, on the running kernel.
// Covers src/linux/listeners/process_sockets.ts
import { assert, assertEquals, assertGreater } from "@std/assert";
import { TextLineStream } from "@std/streams";
import { processCpuNs } from "../../src/linux/libc.ts";
import { ProcessSockets } from "../../src/linux/listeners/process_sockets.ts";
import { Slices } from "../../src/linux/slices.ts";
import { readProcessState } from "../../src/linux/process_state.ts";
import { until } from "./namespace.ts";

const { signal } = new AbortController();

/** What a process has, as `fd inode`; and whether it is told to have run, undefined where it has none. */
async function socketsOf(
  sockets: ProcessSockets,
  wanted: number,
  anew = false,
): Promise<{ held: string[]; hasRun: boolean | undefined }> {
  const held: string[] = [];
  let ran: boolean | undefined;
  const isWhole = await sockets.forEach(new Slices(), signal, (pid, { fd, inode }, hasRun) => {
    if (pid !== wanted) return;
    held.push(`${fd} ${inode}`);
    ran = hasRun;
  }, anew);
  assert(isWhole);
  return { held, hasRun: ran };
}

/** The same by another reader's eyes. */
function listed(pid: number): string[] {
  const sockets: string[] = [];
  for (const { name } of Deno.readDirSync(`/proc/${pid}/fd`)) {
    const link = Deno.readLinkSync(`/proc/${pid}/fd/${name}`);
    const inode = /^socket:\[(\d+)\]$/.exec(link)?.[1];
    if (inode !== undefined) sockets.push(`${name} ${inode}`);
  }
  return sockets.sort();
}

/** A program that obeys lines of Python and says that it did. */
class Obeying implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #lines: ReadableStreamDefaultReader<string>;
  readonly #commands: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;

  constructor() {
    const script = `
import array, os, socket, sys
held = []
for line in sys.stdin:
    exec(line)
    print("done", flush=True)
`;
    const args = ["-c", script];
    this.#child = new Deno.Command("python3", { args, stdin: "piped", stdout: "piped" }).spawn();
    this.#commands = this.#child.stdin.getWriter();
    this.#lines = this.#child.stdout.pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream()).getReader();
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Until it sleeps: what it used is counted then. */
  async obey(line: string): Promise<void> {
    await this.#commands.write(new TextEncoder().encode(line + "\n"));
    assertEquals((await this.#lines.read()).value, "done");
    await this.sleeps();
  }

  /** Who is about to sleep is told to be asleep; where it waits is told of one that left the processor. */
  sleeps(): Promise<void> {
    return until(
      "it sleeps",
      () =>
        readProcessState(this.pid)?.letter === "S" &&
        Deno.readTextFileSync(`/proc/${this.pid}/wchan`) !== "0",
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#commands.close();
    await this.#lines.cancel();
    await this.#child.status;
  }
}

Deno.test("ProcessSockets tells what /proc tells, of a process that slept and of one that ran", async () => {
  await using program = new Obeying();
  const { pid } = program;
  await program.obey("held = [socket.socket() for _ in range(3)]; os.pipe()");
  const sockets = new ProcessSockets();
  const expected = listed(pid);
  assertEquals(expected.length, 3);
  const first = await socketsOf(sockets, pid);
  assertEquals([first.held.sort(), first.hasRun], [expected, true]);
  // It sleeps on.
  const second = await socketsOf(sockets, pid);
  assertEquals([second.held.sort(), second.hasRun], [expected, false]);
  const anew = await socketsOf(sockets, pid, true);
  assertEquals([anew.held.sort(), anew.hasRun], [expected, true]);
  // As many as before, at the same numbers: only that it ran tells that they are others.
  await program.obey("held[1].close(); held[1] = socket.socket()");
  assert(listed(pid).join() !== expected.join());
  const third = await socketsOf(sockets, pid);
  assertEquals([third.held.sort(), third.hasRun], [listed(pid), true]);
  await program.obey("held = []");
  assertEquals((await socketsOf(sockets, pid)).held, []);
});

Deno.test("ProcessSockets sees a socket that was handed over to a process that slept", async () => {
  await using program = new Obeying();
  const { pid } = program;
  await program.obey(
    "held = list(socket.socketpair()); held.append(socket.socket()); read, write = os.pipe()",
  );
  const sockets = new ProcessSockets();
  const before = await socketsOf(sockets, pid);
  assertEquals(before.held.length, 3);
  assertEquals((await socketsOf(sockets, pid)).hasRun, false);
  // On the way a socket is nobody's; a thread of the process takes it.
  await program.obey("socket.send_fds(held[0], [b'x'], [held[2].fileno()]); held.pop().close()");
  assertEquals((await socketsOf(sockets, pid)).held.length, 2);
  await program.obey(
    "import threading; one = threading.Thread(target=lambda: held.append(socket.recv_fds(held[1], 1, 1)[1])); " +
      "one.start(); one.join()",
  );
  const after = await socketsOf(sockets, pid);
  assertEquals([after.held.sort(), after.hasRun], [listed(pid), true]);
  assertEquals(after.held.length, 3);
});

Deno.test("ProcessSockets is told to end", async () => {
  const ending = new AbortController();
  let told = 0;
  const sockets = new ProcessSockets();
  const isWhole = await sockets.forEach(new Slices(), ending.signal, () => {
    told++;
    ending.abort();
  }, false);
  assertEquals(isWhole, false);
  const whole = { told: 0 };
  assert(await sockets.forEach(new Slices(), signal, () => void whole.told++, false));
  assertGreater(whole.told, 0);
  assertGreater(told, 0);
});

Deno.test("processCpuNs tells what a process used, and of none that is gone", async () => {
  const own = processCpuNs(Deno.pid)!;
  const untilMs = performance.now() + 20;
  while (performance.now() < untilMs);
  assertGreater(processCpuNs(Deno.pid)! - own, 0);
  let pid: number;
  {
    await using program = new Obeying();
    pid = program.pid;
    await program.sleeps();
    const used = processCpuNs(pid);
    assertGreater(used!, 0);
    assertEquals(processCpuNs(pid), used);
  }
  assertEquals(processCpuNs(pid), undefined);
});

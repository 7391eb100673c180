/** What other tools cost that this machine's kernel may not run, counted where little varies. */
import { compileC } from "../../netns/compile.ts";
import { MAIN } from "../../netns/tracer.ts";
import { output } from "../../vm/command.ts";
import { bccTools } from "../../vm/compare/bcc_tools.ts";
import { libbpfTools } from "../../vm/compare/libbpf_tools.ts";
import { guestEnvironment } from "../../vm/guest_environment.ts";
import { type GuestFiles, guestFiles, GUESTS } from "../../vm/guest_files.ts";
import { reasonAgainstGuests, runInGuest } from "../../vm/vm.ts";
import type { Task } from "../instructions.ts";
import type { Figure, Row } from "../row.ts";

const ROOT = new URL("../../..", import.meta.url).pathname;
const PROGRAM = new URL("../instructions.ts", import.meta.url).pathname;
const GUEST = GUESTS.bookworm;
/** Where a member of a function's parameter is a load, and no call that reads. */
const NEWER_GUEST = GUESTS.trixie;
const AIMS = { fentry: 14.5, tracepoint: 15.5 };
const NEWER_AIMS = { fentry: 13 };
/** Measured: eleven minutes for all tools, alone on a processor. */
const TIMEOUT_MS = 2_400_000;

/** Each tool alone in an emulated stock kernel, whose clock counts instructions. */
export const instructions: Row = {
  name: "instructions",
  title: "Instructions a connection in an emulated Debian 12 (Linux 6.1), at 1,000 a second",
  needs: ["gcc"],
  async measure(bench) {
    const obstacle = await reasonAgainstGuests();
    if (obstacle !== undefined) return [notMeasured("in a guest", obstacle)];
    const files = await fetched(() => guestFiles(GUEST));
    if (files instanceof Error) return [notMeasured("in a guest", files.message)];
    const shared = await Deno.makeTempDir({ dir: bench.folder });
    const task = bench.either<Task>(
      { probes: ["fentry", "tracepoint", "none"], aims: AIMS, only: "tcpconnlat" },
      { probes: ["none"] },
      { probes: ["fentry", "kprobe", "tracepoint", "none"], aims: AIMS, parts: true },
    );
    if (bench.length === "quick") return await countInGuest(files, shared, task);
    const peers = await fetched(async () => ({
      libbpfTools: await libbpfTools(GUEST),
      bcc: await bccTools(GUEST, files),
      scripts: files.scripts,
      loader: files.loader,
    }));
    const newer = await newerFigures(shared);
    if (!(peers instanceof Error)) {
      return [...await countInGuest(files, shared, { ...task, peers }), ...newer];
    }
    const figures = await countInGuest(files, shared, task);
    return [...figures, ...newer, notMeasured("its peers", peers.message)];
  },
};

/** The same by function probes with a newer kernel and bpftrace. */
async function newerFigures(shared: string): Promise<Figure[]> {
  const where = "in Debian 13 (Linux 6.12, bpftrace 0.23)";
  const files = await fetched(() => guestFiles(NEWER_GUEST));
  if (files instanceof Error) return [notMeasured(where, files.message)];
  const figures = await countInGuest(files, shared, { probes: ["fentry"], aims: NEWER_AIMS });
  return figures.map((figure) => ({ ...figure, name: `${figure.name}, ${where}` }));
}

/** What is fetched once from the system's mirror, or why it cannot be. */
async function fetched<T>(fetch: () => Promise<T>): Promise<T | Error> {
  try {
    return await fetch();
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

async function countInGuest(files: GuestFiles, shared: string, task: Task): Promise<Figure[]> {
  for (const program of ["../paced_connect.c", "../../netns/connect_load.c"]) {
    await compileC(new URL(program, import.meta.url), shared);
  }
  // Translated here, where that is fast: the guest finds it in this machine's cache.
  await output([Deno.execPath(), "cache", "--quiet", PROGRAM, MAIN], ROOT);
  const run = [Deno.execPath(), "run", "--quiet", "--no-check", "-A"];
  const { status, stdout, stderr } = await runInGuest(files, {
    words: [...run, PROGRAM, JSON.stringify(task)],
    cwd: ROOT,
    env: guestEnvironment(files),
    shared,
    timeoutMs: TIMEOUT_MS,
    countInstructions: true,
  });
  if (status !== 0) throw new Error(`The guest says: ${stderr}`);
  return JSON.parse(stdout);
}

function notMeasured(name: string, note: string): Figure {
  return { name, unit: "", values: [], note };
}

/**
 * What tracing takes: the rate of connect, accept and reset on loopback with and without it, and how
 * soon a trace speaks. Prints a table in Markdown. Needs root; runs in a namespace of its own.
 *
 * Each round runs every variant once, in turn, and is compared with its own untraced run, so that a
 * machine whose speed drifts still gives a ratio.
 */
import { TextLineStream } from "@std/streams";
import { findExecutable } from "../../src/io/packages.ts";
import { compileC } from "../netns/compile.ts";
import { Namespace } from "../netns/namespace.ts";
import { MAIN, Tracer } from "../netns/tracer.ts";

const ROUNDS = 5;
const CONNECTIONS = 20_000;
const PORT = 4435;
const SCRIPT = new URL("../../bpf/handshake.tracepoint.bt", import.meta.url).pathname;

/** One way of tracing. */
interface Variant {
  name: string;
  /** Starts it and waits until it is ready. @returns Ends it and says what it lost. */
  start(namespace: Namespace): Promise<() => Promise<string>>;
}

const VARIANTS: readonly Variant[] = [
  { name: "`trace`", start: (namespace) => startTrace(namespace, []) },
  {
    name: "`trace --probes none`",
    start: (namespace) => startTrace(namespace, ["--probes", "none"]),
  },
  { name: "script alone, mode 1", start: (namespace) => startScript(namespace, ["1"]) },
  { name: "script alone, mode 2", start: (namespace) => startScript(namespace, ["2"]) },
  { name: "script alone, readable", start: (namespace) => startScript(namespace, []) },
  { name: "`tcpdump -w` of TCP", start: startTcpdump },
];

async function startTrace(
  namespace: Namespace,
  args: readonly string[],
): Promise<() => Promise<string>> {
  const tracer = await Tracer.start(namespace, ["--json", "--port", String(PORT), ...args]);
  await tracer.said(/kernel events/);
  return async () => {
    const { summary } = await tracer.stop();
    const { evidence, losses } = summary!;
    const lost = Object.entries(losses).filter(([, count]) => count).map(([place, count]) =>
      `${place} ${count}`
    );
    const seen = args.length === 0 ? evidence.both : evidence.wire_only;
    return [`${(seen / CONNECTIONS * 100).toFixed(2)} %`, ...lost].join(", ");
  };
}

async function startScript(
  namespace: Namespace,
  args: readonly string[],
): Promise<() => Promise<string>> {
  const mount = 'mount -t tracefs tracefs /sys/kernel/tracing 2>/dev/null; exec "$@"';
  const command = ["unshare", "--mount", "sh", "-c", mount, "sh"];
  return await startProgram(
    namespace,
    [...command, findExecutable("bpftrace")!, "-B", "line", SCRIPT, ...args],
    "stdout",
    /^ready|^TIME/,
    { BPFTRACE_MAP_KEYS_MAX: "65536" },
  );
}

async function startTcpdump(namespace: Namespace): Promise<() => Promise<string>> {
  const command = ["tcpdump", "-i", "lo", "-w", "/dev/null", "-Z", "root", "tcp"];
  return await startProgram(namespace, command, "stderr", /listening on/);
}

async function startProgram(
  namespace: Namespace,
  command: string[],
  channel: "stdout" | "stderr",
  ready: RegExp,
  env: Record<string, string> = {},
): Promise<() => Promise<string>> {
  const child = namespace.spawn(command, {
    stdout: channel === "stdout" ? "piped" : "null",
    stderr: channel === "stderr" ? "piped" : "null",
    env,
  });
  const lines = child[channel].pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream());
  const isReady = Promise.withResolvers<void>();
  const read = (async () => {
    for await (const line of lines) if (ready.test(line)) isReady.resolve();
  })();
  await isReady.promise;
  return async () => {
    child.kill("SIGINT");
    await read;
    await child.status;
    return "";
  };
}

async function connectRate(namespace: Namespace, connectLoad: string): Promise<number> {
  const text = await namespace.run(connectLoad, "127.0.0.1", String(PORT), String(CONNECTIONS));
  return CONNECTIONS / (Number(text.trim().split(" ")[1]) / 1e9);
}

/** Milliseconds from its start until a trace first speaks, and until it is ready. */
async function startTimes(namespace: Namespace): Promise<[firstMs: number, readyMs: number]> {
  const begin = performance.now();
  const tracer = await Tracer.start(namespace, ["--json"]);
  const firstMs = performance.now() - begin;
  await tracer.said(/kernel events come/);
  const readyMs = performance.now() - begin;
  await tracer.stop();
  return [firstMs, readyMs];
}

function spread(values: readonly number[], digits: number): string {
  const sorted = values.toSorted((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)];
  const [low, high] = [sorted[0], sorted[sorted.length - 1]];
  return `${median.toFixed(digits)} (${low.toFixed(digits)} to ${high.toFixed(digits)})`;
}

const folder = await Deno.makeTempDir({ prefix: "synsnoop-bench-" });
try {
  const connectLoad = await compileC(new URL("../netns/connect_load.c", import.meta.url), folder);
  await using namespace = await Namespace.create();
  const ratios = VARIANTS.map((): number[] => []);
  const seen = VARIANTS.map(() => new Set<string>());
  const untraced: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    console.error(`round ${round + 1} of ${ROUNDS}`);
    for (const [index, variant] of VARIANTS.entries()) {
      const plain = await connectRate(namespace, connectLoad);
      const stop = await variant.start(namespace);
      const traced = await connectRate(namespace, connectLoad);
      seen[index].add(await stop());
      untraced.push(plain);
      ratios[index].push(traced / plain);
    }
  }
  const starts: [number, number][] = [];
  for (let round = 0; round < ROUNDS; round++) starts.push(await startTimes(namespace));
  console.log(`| traced by | rate against untraced | reported from every source |\n|---|---|---|`);
  for (const [index, { name }] of VARIANTS.entries()) {
    console.log(`| ${name} | ${spread(ratios[index], 2)} | ${[...seen[index]].join("; ")} |`);
  }
  console.log(`\n${ROUNDS} rounds of ${CONNECTIONS} connections, median (lowest to highest).`);
  console.log(`Untraced: ${spread(untraced, 0)} connections/s.`);
  console.log(
    `First words of ${MAIN.split("/").pop()} after ${spread(starts.map(([ms]) => ms), 0)} ms,`,
  );
  console.log(`kernel events after ${spread(starts.map(([, ms]) => ms), 0)} ms.`);
} finally {
  await Deno.remove(folder, { recursive: true });
}

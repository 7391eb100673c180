/** What a trace pays for who asks it for metrics. */
import process from "node:process";
import { StreamOutput } from "../../../src/files/stream_output.ts";
import { SERVERS_USUAL, USUAL_BOUNDS } from "../../../src/output/metrics/choices.ts";
import { MetricsSink } from "../../../src/output/metrics/metrics_sink.ts";
import { PrometheusWriter } from "../../../src/output/metrics/prometheus_text.ts";
import { NdjsonFormat, TextSink } from "../../../src/output/text_sink.ts";
import { Pipeline } from "../../../src/pipeline/pipeline.ts";
import { NO_ROW } from "../../../src/pipeline/sink.ts";
import { Namespace } from "../../netns/namespace.ts";
import { sourceOf, THROWING } from "../../unit/pipeline/stand_ins.ts";
import { CONTEXT, WORKED_EXAMPLE } from "../../unit/record/sample_handshakes.ts";
import { lostIn } from "../outcome.ts";
import { pacedConnections } from "../paced.ts";
import { compareInPairs } from "../pairs.ts";
import { ProcessCpu } from "../process_cost.ts";
import type { Bench, Figure, Row } from "../row.ts";
import { trace } from "../watchers.ts";

const PORT = 4436;
const ADDRESS = "127.0.0.1:9464";
const ONLY = ["--server-port", String(PORT)];

/** Asks each second, as no Prometheus does, and holds a request that never ends. */
const SCRAPER = `
import socket, time
held = socket.create_connection(("127.0.0.1", 9464))
held.send(b"GET /met")
while True:
    one = socket.create_connection(("127.0.0.1", 9464))
    one.send(b"GET /metrics HTTP/1.1\\r\\nAccept: application/openmetrics-text\\r\\n\\r\\n")
    while one.recv(65536): pass
    one.close()
    time.sleep(1)
`;

/** Connections a second while a trace is asked for metrics, beside those while it is not. */
export const metrics: Row = {
  name: "metrics",
  title:
    "Connections a second on loopback, `trace --metrics` that is scraped each second / `trace`",
  needs: ["gcc", "python3"],
  compare: compareVersions,
  async measure(bench) {
    const [warmUp, connections] = [bench.either(10_000, 500), bench.either(20_000, 1_000)];
    const load = await bench.program("../netns/connect_load.c");
    await using namespace = await Namespace.create();
    const rateWith = async (flags: readonly string[]) => {
      const watching = await trace("", [...ONLY, ...flags]).start(namespace);
      const scraper = flags.length > 0 ? startScraper(namespace) : undefined;
      const run = (count: number) => namespace.run(load, "127.0.0.1", String(PORT), String(count));
      // The first ones are the compiler's.
      await run(warmUp);
      const text = await run(connections);
      scraper?.kill("SIGKILL");
      await scraper?.status;
      const outcome = await watching.stop();
      const [, elapsedNs] = text.trim().split(" ").map(Number);
      const lacking = warmUp + connections - (outcome.handshakes ?? 0) + lostIn(outcome);
      return { rate: connections / (elapsedNs / 1e9), lacking };
    };
    const ratios: number[] = [];
    const lacking: number[] = [];
    for (let pair = 0; pair < bench.either(20, 1); pair++) {
      bench.say(`pair ${pair + 1}`);
      // By turns each comes first, so that what drifts favours neither.
      const flags = [[], ["--metrics", ADDRESS]];
      const order = pair % 2 === 0 ? [0, 1] : [1, 0];
      const runs: Awaited<ReturnType<typeof rateWith>>[] = [];
      for (const which of order) runs[which] = await rateWith(flags[which]);
      ratios.push(runs[1].rate / runs[0].rate);
      lacking.push(runs[1].lacking);
    }
    return [
      {
        name: "`trace --metrics` / `trace`",
        unit: "ratio",
        values: ratios,
        aim: { atLeast: 0.97 },
      },
      { name: "added to the CPU time of a handshake", unit: "µs", values: await addedCpu(bench) },
      { name: "handshakes not reported or lost", unit: "", values: lacking, aim: { atMost: 0 } },
    ];
  },
};

function startScraper(namespace: Namespace): Deno.ChildProcess {
  return namespace.spawn(["python3", "-c", SCRAPER], { stderr: "null" });
}

const RATE = 10_000;

async function compareVersions(bench: Bench, root: string): Promise<Figure[]> {
  await using namespace = await Namespace.create();
  const count = bench.either(3 * RATE, 1_000);
  const connect = await pacedConnections(bench, namespace, PORT, RATE, count);
  const quantities = [
    { name: "`trace --metrics`, its own process at 10,000/s", unit: "µs" },
  ] as const;
  return await compareInPairs(bench, root, bench.either(20, 1), quantities, async (version) => {
    const watching = await trace("", [...ONLY, "--metrics", ADDRESS], version).start(namespace);
    const scraper = startScraper(namespace);
    // The first ones are the compiler's.
    await connect();
    const { tool, result } = await (await ProcessCpu.of(watching.pid)).during(connect);
    scraper.kill("SIGKILL");
    await scraper.status;
    await watching.stop();
    return [tool / 1e3 / result.connections];
  });
}

/** Handshakes between two texts: as many as come in a second of a busy host. */
const TEXT_EVERY = 20_000;

/**
 * What counting and writing a text each second adds to the CPU time of a handshake, beside its record:
 * measured in this process, where a busy machine counts less.
 *
 * @returns Microseconds, one a pair.
 */
async function addedCpu(bench: Bench): Promise<number[]> {
  const handshakes = bench.either(100_000, 20_000);
  using file = await Deno.open("/dev/null", { write: true });
  const runs = [false, true].map((counts) => {
    const output = new StreamOutput(file, (reason) => {
      throw new Error(`Cannot write /dev/null: ${reason}`);
    });
    const sink = new MetricsSink({
      serversMax: SERVERS_USUAL,
      extraLabels: [],
      bounds: USUAL_BOUNDS,
      version: "bench",
      now: () => performance.timeOrigin + performance.now(),
      process: () => ({}),
    });
    const records = new TextSink(output, new NdjsonFormat(), "to /dev/null");
    const pipeline = new Pipeline({
      sinks: counts ? [sink, records] : [records],
      supervisor: THROWING,
    });
    pipeline.begin(sourceOf(CONTEXT));
    const writer = new PrometheusWriter();
    return async () => {
      const before = process.cpuUsage();
      for (let nth = 1; nth <= handshakes; nth++) {
        WORKED_EXAMPLE.timeNs += 1_234_567;
        WORKED_EXAMPLE.client.port = 1_024 + nth % 60_000;
        WORKED_EXAMPLE.server.port = 400 + nth % SERVERS_USUAL;
        WORKED_EXAMPLE.clientRttNs = 10_000 + nth % 1_000 * 1_000;
        pipeline.take(WORKED_EXAMPLE, NO_ROW);
        if (nth % 400 === 0) {
          pipeline.flush();
          await output.flush();
        }
        if (counts && nth % TEXT_EVERY === 0) {
          writer.write(sink.families(pipeline.state(), { sources: {} }), "openmetrics");
        }
      }
      const { user, system } = process.cpuUsage(before);
      return (user + system) / handshakes;
    };
  });
  // The first ones are the compiler's.
  for (const run of runs) await run();
  const added: number[] = [];
  for (let pair = 0; pair < bench.either(20, 1); pair++) {
    const took: number[] = [];
    for (const which of pair % 2 === 0 ? [0, 1] : [1, 0]) took[which] = await runs[which]();
    added.push(took[1] - took[0]);
  }
  return added;
}

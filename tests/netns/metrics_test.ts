// `trace --metrics` asked by a real Prometheus, by a thousand a second and by who never reads.
import {
  assert,
  assertEquals,
  assertGreater,
  assertGreaterOrEqual,
  assertLessOrEqual,
} from "@std/assert";
import { LOSS_PLACES } from "../../src/pipeline/losses.ts";
import { networkRttOf } from "../unit/output/metrics/record_legs.ts";
import { alertNames, dashboardQuestions, EXAMPLES } from "../capture/dashboard.ts";
import { sumOf } from "../capture/metrics_tool.ts";
import { findPrometheus } from "../prometheus.ts";
import { compileC } from "./compile.ts";
import { Folder } from "../folder.ts";
import {
  Namespace,
  namespaceTest,
  reasonAgainstNamespaces,
  skippableTest,
  until,
} from "./namespace.ts";
import { Tracer } from "./tracer.ts";

/** Served, refused, and not accepted. */
const [PORT, REFUSED_PORT, FULL_PORT] = [4471, 4472, 4473];
const ONLY = ["--server-port", [PORT, REFUSED_PORT, FULL_PORT].join(",")];
const METRICS = "127.0.0.1:9464";
const PROMETHEUS = "127.0.0.1:9090";
const FLOOD = new URL("http_flood.py", import.meta.url).pathname;
const folder = new Folder();
globalThis.addEventListener("unload", () => folder[Symbol.dispose]());
const connectLoad = await compileC(new URL("connect_load.c", import.meta.url), folder.path);

/** Asks for a page from inside a namespace. @returns Its text. */
function get(namespace: Namespace, url: string): Promise<string> {
  return namespace.run(
    "python3",
    "-c",
    "import sys, urllib.request, urllib.error\n" +
      "try: print(urllib.request.urlopen(sys.argv[1]).read().decode(), end='')\n" +
      "except urllib.error.HTTPError as error: print(error.read().decode(), end='')",
    url,
  );
}

/** A Prometheus in a namespace that asks a trace there each second, with the rules of the examples. */
class PrometheusRun {
  readonly #namespace: Namespace;

  private constructor(namespace: Namespace) {
    this.#namespace = namespace;
  }

  static async start(namespace: Namespace, program: string): Promise<PrometheusRun> {
    const path = `${folder.path}/prometheus.yml`;
    const example = Deno.readTextFileSync(`${EXAMPLES}prometheus.yml`);
    // The same, but oftener, for a test cannot wait.
    const hurried = example.replaceAll(": 15s", ": 1s")
      .replace(/(?<=- )(?=\w+_rules\.yml)/g, EXAMPLES);
    assert(hurried.includes("interval: 1s") && hurried.includes(`- ${EXAMPLES}alert_rules.yml`));
    Deno.writeTextFileSync(path, hurried);
    namespace.spawn([
      program,
      `--config.file=${path}`,
      `--storage.tsdb.path=${folder.path}/data`,
      `--web.listen-address=${PROMETHEUS}`,
      "--enable-feature=exemplar-storage",
      "--log.level=error",
    ], { stdout: "null", stderr: "null" });
    const run = new PrometheusRun(namespace);
    await until("Prometheus answers", async () => {
      const text = await get(namespace, `http://${PROMETHEUS}/-/ready`).catch(() => "");
      return /ready/i.test(text);
    });
    return run;
  }

  // deno-lint-ignore no-explicit-any
  async #api(path: string, values: Record<string, string> = {}): Promise<any> {
    const query = new URLSearchParams(values);
    const text = await get(this.#namespace, `http://${PROMETHEUS}/api/v1/${path}?${query}`);
    const { status, data, error } = JSON.parse(text);
    assertEquals(status, "success", `${path} ${JSON.stringify(values)}: ${error}`);
    return data;
  }

  /** Asks a question about now. @returns Its values by their labels. */
  async query(expr: string): Promise<{ metric: Record<string, string>; value: number }[]> {
    const { result } = await this.#api("query", { query: expr });
    return result.map((
      { metric, value }: { metric: Record<string, string>; value: [number, string] },
    ) => ({ metric, value: Number(value[1]) }));
  }

  /** The one value of an answer; 0 where there is none. */
  async value(expr: string): Promise<number> {
    return (await this.query(expr))[0]?.value ?? 0;
  }

  /** The health of each rule, and the state of each alert. */
  async rules(): Promise<{ name: string; health: string; state?: string; lastError?: string }[]> {
    const { groups } = await this.#api("rules");
    return groups.flatMap(({ rules }: { rules: unknown[] }) => rules);
  }

  /** Community IDs that stand beside the buckets of a metric. */
  async exemplars(metric: string): Promise<string[]> {
    const now = Date.now() / 1_000;
    const data = await this.#api("query_exemplars", {
      query: metric,
      start: `${now - 600}`,
      end: `${now + 60}`,
    });
    return data.flatMap(({ exemplars }: { exemplars: { labels: Record<string, string> }[] }) =>
      exemplars.map(({ labels }) => labels.community_id)
    );
  }
}

/** A server that accepts nobody until there is a file: two wait meanwhile where one may, see listen(2). */
const FULL = `
import os, socket, sys, time
listener = socket.socket()
listener.bind((sys.argv[1], int(sys.argv[2])))
listener.listen(1)
while not os.path.exists(sys.argv[3]): time.sleep(0.02)
held = [listener.accept() for _ in range(3)]
time.sleep(60)
`;
/** Three that connect to it, one after the other. */
const CROWD = `
import socket, sys
held = [socket.create_connection((sys.argv[1], int(sys.argv[2])), 30) for _ in range(3)]
`;

const found = await findPrometheus();
const obstacle = await reasonAgainstNamespaces() ?? (typeof found === "string" ? found : undefined);

skippableTest(
  "Prometheus scrapes a trace, and answers what the dashboard and the alerts ask",
  obstacle,
  async () => {
    await using server = await Namespace.create();
    await using client = await Namespace.create();
    await server.connect(client, { here: "10.71.0.1/24", there: "10.71.0.2/24" });
    const tracer = await Tracer.start(server, [
      ...ONLY,
      ...["--json", "--metrics", METRICS],
      ...["--buckets", "50us,100us,200us,500us,1ms,10ms,100ms,1s"],
    ]);
    // Tracepoints do not tell of a full queue.
    const tellsQueues = !/tracepoint/.test(await tracer.said(/kernel events come from/));
    await tracer.said(/metrics are at http:\/\/127\.0\.0\.1:9464\/metrics$/);
    const prometheus = await PrometheusRun.start(
      server,
      (found as { prometheus: string }).prometheus,
    );
    const [rounds, each] = [3, 200];
    const load = (port: number, count: number, how: string) => [
      ...[connectLoad, "10.71.0.1", `${port}`, `${count}`, how],
    ];
    const serving = server.spawn(load(PORT, rounds * each, "--serve"), { stdout: "piped" });
    const opened = `${folder.path}/opened`;
    server.spawn(["python3", "-c", FULL, "10.71.0.1", `${FULL_PORT}`, opened]);
    await until(
      "both servers listen",
      async () => (await server.run("ss", "-Hltn")).match(/10\.71\.0\.1:447[13]/g)?.length === 2,
    );
    const scraped = "sum(synsnoop_handshakes_total)";
    let made = 0;
    for (let round = 1; round <= rounds; round++) {
      await client.run(...load(PORT, each, "--connect"));
      await client.run(
        "python3",
        "-c",
        `import socket
for _ in range(40): socket.socket().connect_ex(("10.71.0.1", ${REFUSED_PORT}))`,
      );
      made += each + 40;
      await until("Prometheus has what came", async () => await prometheus.value(scraped) >= made);
    }
    const crowd = client.run("python3", "-c", CROWD, "10.71.0.1", `${FULL_PORT}`);
    await until(
      "one waits for a place in the queue",
      async () => (await client.run("ss", "-Htn", "state", "syn-sent")).trim() !== "",
    );
    Deno.writeTextFileSync(opened, "");
    await crowd;
    made += 3;
    await until("Prometheus has these", async () => await prometheus.value(scraped) >= made);
    const rules = async () => await prometheus.rules();
    const awaited = ["TcpHandshakesFail", ...tellsQueues ? ["TcpAcceptQueueFull"] : []];
    await until(`${awaited} are pending`, async () => {
      const pending = (await rules()).filter(({ state }) => state === "pending");
      return awaited.every((name) => pending.some((rule) => rule.name === name));
    });
    // Every rule was evaluated without a fault, and every alert is one of them.
    const evaluated = await rules();
    assertEquals(evaluated.filter(({ health }) => health !== "ok"), []);
    const names = evaluated.map(({ name }) => name);
    assertEquals(alertNames().filter((name) => !names.includes(name)), []);
    // Every question of the dashboard has an answer, but those about losses, where there are none, and
    // about this host's part: where both ends are here that is no leg of its own.
    for (const { where, expr } of dashboardQuestions()) {
      const answers = await prometheus.query(expr);
      if (where.startsWith("This host's own")) assertEquals(answers, []);
      else if (where === "Lost by the tracer") continue;
      else if (tellsQueues || !expr.includes("accept_queue")) {
        assertGreater(answers.length, 0, `${where}: ${expr}`);
      }
    }

    const answers = {
      outcomes: await prometheus.query("sum by (outcome) (synsnoop_handshakes_total)"),
      reasons: await prometheus.query(
        'sum by (reason) (synsnoop_handshakes_total{outcome="refused"})',
      ),
      rtts: await prometheus.value("sum(synsnoop_network_rtt_seconds_count)"),
      below: await prometheus.query("sum by (le) (synsnoop_network_rtt_seconds_bucket)"),
      drops: await prometheus.value("sum(synsnoop_accept_queue_drops_total)"),
      syns: await prometheus.value('sum(synsnoop_retransmissions_total{packet="syn"})'),
      lost: await prometheus.value("sum(synsnoop_lost_total)"),
      written: await prometheus.value("synsnoop_records_written_total"),
      up: await prometheus.value("min(synsnoop_source_up)"),
      bpftraceBytes: await prometheus.value("synsnoop_bpftrace_resident_memory_bytes"),
      bpftraceSeconds: await prometheus.value("synsnoop_bpftrace_cpu_seconds_total"),
    };
    const exemplars = await prometheus.exemplars("synsnoop_network_rtt_seconds_bucket");
    assertEquals(await get(server, `http://${METRICS}/healthz`), "wire up\nkernel up\n");
    const { records, summary, status } = await tracer.stop();
    await serving.status;

    assertEquals(status.code, 0);
    assertEquals(
      Object.fromEntries(answers.outcomes.map(({ metric, value }) => [metric.outcome, value])),
      summary!.outcomes,
    );
    const refused = records.filter(({ outcome }) => outcome === "refused");
    for (const { metric, value } of answers.reasons) {
      assertEquals(value, refused.filter(({ reason }) => (reason ?? "") === metric.reason).length);
    }
    const rtts = records.flatMap((record) => networkRttOf(record) ?? []);
    assertGreaterOrEqual(rtts.length, rounds * each);
    assertEquals(answers.rtts, rtts.length);
    for (const { metric: { le }, value } of answers.below) {
      assertEquals(value, rtts.filter((ns) => le === "+Inf" || ns / 1e9 <= Number(le)).length, le);
    }
    const dropped = records.filter(({ drop }) => drop?.reason === "ACCEPT_QUEUE_FULL");
    assertEquals(dropped.length > 0, tellsQueues);
    assertEquals(answers.drops, dropped.length);
    const again = records.reduce((sum, { packets }) => sum + Math.max(0, packets.syn - 1), 0);
    assertEquals(answers.syns, again);
    assertEquals([answers.written, answers.up], [records.length, 1]);
    // Its compiler alone is some ten megabytes, and attaching takes a tenth of a second.
    assert(answers.bpftraceBytes > 2e7 && answers.bpftraceBytes < 1e9, `${answers.bpftraceBytes}`);
    assertGreater(answers.bpftraceSeconds, 0.05);
    // The end may count more.
    const lost = LOSS_PLACES.filter(({ isLoss }) => isLoss)
      .reduce((sum, { name }) => sum + (summary!.losses[name] ?? 0), 0);
    assertLessOrEqual(answers.lost, lost);
    const flows = new Set(records.map(({ network }) => network.community_id));
    assertGreater(exemplars.length, 0);
    assertEquals(exemplars.filter((id) => !flows.has(id)), []);
  },
);

await namespaceTest("trace --metrics loses nothing to a thousand scrapes a second", async () => {
  await using namespace = await Namespace.create();
  const tracer = await Tracer.ready(namespace, [...ONLY, "--json", "--metrics", METRICS]);
  await tracer.said(/metrics are at/);
  // Who asks and never ends, and who never reads.
  namespace.spawn([
    "python3",
    "-c",
    `import socket, time
held = []
for nth in range(200):
    one = socket.create_connection(("127.0.0.1", 9464))
    one.send(b"GET /met" if nth % 2 else b"GET /metrics HTTP/1.1\\r\\n\\r\\n")
    held.append(one)
time.sleep(60)`,
  ]);
  const [connections, rounds] = [10_000, 3];
  const megabytes: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const flood = namespace.run("python3", FLOOD, "127.0.0.1", "9464", "1000", "3");
    await namespace.run(connectLoad, "127.0.0.1", `${PORT}`, `${connections}`);
    const { begun, statuses, texts, unfinished } = JSON.parse(await flood);
    assertEquals(unfinished, 0);
    // Where the machine is busy for a quarter of a second, who came first gives its place away.
    const { "200": given, "503": refused, none = 0, ...others } = statuses;
    assertEquals(others, {});
    assertEquals(given + refused + none, begun);
    assert(none < begun / 10, `${none} of ${begun} were not answered`);
    assert(begun >= 1_000 && given >= 20 && given <= 20 * 33, JSON.stringify(statuses));
    assert(texts < given && texts <= 33, `${texts} texts`);
    let bytes = 0;
    await until("the page is given again", async () => {
      const text = await get(namespace, `http://${METRICS}/metrics`);
      bytes = sumOf(text, "process_resident_memory_bytes");
      return bytes > 0;
    });
    megabytes.push(bytes / 1e6);
  }
  const { summary, status } = await tracer.stop();
  assertEquals(status.code, 0);
  // None of those that the scrapes made: they are to another port.
  assertEquals(summary!.handshakes, rounds * connections);
  // A probe that the kernel skipped is no matter of metrics.
  const skipped = summary!.losses.recursion_misses ?? 0;
  assertGreaterOrEqual(summary!.by_evidence.both, rounds * connections - skipped);
  for (const [place, count] of Object.entries(summary!.losses)) {
    if (/^(?:ring|kernel|half_open|output)_/.test(place)) assertEquals(count, 0, place);
  }
  // The first ones warm up.
  assert(megabytes[rounds - 1] - megabytes[rounds - 2] < 40, `${megabytes} MB`);
});

await namespaceTest(
  "trace --metrics goes on while its address is in use, and takes it then",
  async () => {
    await using namespace = await Namespace.create();
    const holder = namespace.spawn([
      "python3",
      "-c",
      'import socket, time; one = socket.socket(); one.bind(("127.0.0.1", 9464)); one.listen(); time.sleep(60)',
    ]);
    await until(
      "the address is taken",
      async () => (await namespace.run("ss", "-Hltn", "sport = :9464")) !== "",
    );
    const file = `${folder.path}/synsnoop.prom`;
    const tracer = await Tracer.start(namespace, [
      ...[...ONLY, "--probes", "none", "--metrics", METRICS],
      ...["--metrics-file", file, "--otlp", "http://127.0.0.1:4319", "--otlp-interval", "1s"],
    ]);
    await tracer.said(
      /Cannot listen at 127\.0\.0\.1:9464: the address is in use; going on without, trying again/,
    );
    await tracer.said(/Cannot push metrics to http:\/\/127\.0\.0\.1:4319\/v1\/metrics: .*refused/);
    await namespace.run(connectLoad, "127.0.0.1", `${PORT}`, "30");
    holder.kill("SIGKILL");
    await tracer.said(/metrics are at http:\/\/127\.0\.0\.1:9464\/metrics$/);
    await until(
      "the handshakes are counted",
      async () =>
        sumOf(await get(namespace, `http://${METRICS}/metrics`), "synsnoop_handshakes_total") ===
          30,
    );
    const { status, summary } = await tracer.stop();
    assertEquals([status.code, summary?.handshakes], [0, 30]);
    const text = Deno.readTextFileSync(file);
    assertEquals(sumOf(text, "synsnoop_handshakes_total"), 30);
    assertEquals(sumOf(text, "synsnoop_records_written_total"), 30);
    // Nobody who reads the file later takes it for a trace that runs.
    assertEquals(sumOf(text, "synsnoop_source_up", 'source="wire"'), 0);
    assert(!text.includes('source="kernel"'), "no kernel events are wanted");
  },
);

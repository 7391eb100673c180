// Metrics pushed to a collector by OTLP, and written to a file for node_exporter, by processes.
// Covers src/http/pusher.ts
// Covers src/files/shared_text.ts
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { replaceFile } from "../../src/files/shared_text.ts";
import { Folder } from "../folder.ts";
import { until } from "../netns/namespace.ts";
import { otlpCounts, otlpMetrics } from "../unit/output/metrics/otlp_checker.ts";
import { MetricsRun, recordsOf, sumOf } from "./metrics_tool.ts";
import { SpeakingRun, taskCommand } from "./speaking_run.ts";

const HANDSHAKES = "synsnoop.tcp.handshakes";

/** What came with a push. */
interface Received {
  path: string;
  headers: Headers;
  body: string;
}

/** A collector that answers as it is told: the last answer for all that come after. */
class Collector implements AsyncDisposable {
  readonly received: Received[] = [];
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor(answers: (() => Response | Promise<Response>)[] = []) {
    let last = () => new Response("{}") as Response | Promise<Response>;
    const options = { hostname: "127.0.0.1", port: 0, onListen() {} };
    this.#server = Deno.serve(options, async (request) => {
      const unzipped = request.body!.pipeThrough(new DecompressionStream("gzip"));
      const body = await new Response(unzipped).text();
      this.received.push({ path: new URL(request.url).pathname, headers: request.headers, body });
      last = answers.shift() ?? last;
      return await last();
    });
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  /** Waits for so many pushes. @returns The last of them. */
  async push(count: number): Promise<Received> {
    await until(`${count} pushes`, () => this.received.length >= count);
    return this.received[count - 1];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

function recordsIn(folder: { path: string }): string {
  const path = `${folder.path}/handshakes.ndjson`;
  Deno.writeTextFileSync(path, recordsOf([{ clientRttNs: 2e6 }, {}, { outcome: "refused" }]));
  return path;
}

Deno.test("metrics pushes once what is in a file, and who it is", async () => {
  using folder = new Folder();
  await using collector = new Collector();
  await using run = MetricsRun.start(["--otlp", collector.url, recordsIn(folder)], {
    env: {
      OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=test%20lab,host.name=other",
      OTEL_EXPORTER_OTLP_HEADERS: "authorization=Bearer%20x",
    },
  });
  assertEquals(await run.ended(), 0);
  assertEquals(collector.received.length, 1);
  const [{ path, headers, body }] = collector.received;
  assertEquals([path, headers.get("content-type"), headers.get("authorization")], [
    "/v1/metrics",
    "application/json",
    "Bearer x",
  ]);
  const metrics = otlpMetrics(body);
  assertEquals(otlpCounts(metrics.get(HANDSHAKES)), {
    "10.0.0.2 443 client established": 2,
    "10.0.0.2 443 client refused refused": 1,
  });
  const attributes = Object.fromEntries(
    JSON.parse(body).resourceMetrics[0].resource.attributes.map((
      { key, value }: { key: string; value: { stringValue: string } },
    ) => [key, value.stringValue]),
  );
  assertEquals(attributes["service.name"], "synsnoop");
  assertEquals(attributes["deployment.environment.name"], "test lab");
  assertEquals(attributes["host.name"], "other");
  assertMatch(attributes["service.instance.id"], /^\d+-\d+$/);
});

Deno.test("metrics pushes each interval, by delta what came since", async () => {
  using folder = new Folder();
  await using collector = new Collector();
  const path = recordsIn(folder);
  const args = ["--otlp", collector.url, "--otlp-interval", "1s", "--otlp-temporality", "delta"];
  await using run = MetricsRun.start([...args, "--follow", path]);
  const counted = (nth: number) =>
    otlpCounts(otlpMetrics(collector.received[nth].body).get(HANDSHAKES));
  await collector.push(1);
  assertEquals(Object.values(counted(0)), [2, 1]);
  await collector.push(2);
  assertEquals(counted(1), {});
  Deno.writeTextFileSync(path, recordsOf([{}, {}, {}]), { append: true });
  const sum = () =>
    collector.received.flatMap((_, nth) => Object.values(counted(nth)))
      .reduce((all, count) => all + count, 0);
  await until("six handshakes", () => sum() >= 6);
  assertEquals(await run.stop(), 0);
  assertEquals(sum(), 6);
});

Deno.test("metrics tries again after 503, loses nothing, and says it once", async () => {
  using folder = new Folder();
  const busy = () => new Response("busy", { status: 503, headers: { "retry-after": "0" } });
  await using collector = new Collector([busy, busy, () => new Response("{}")]);
  const args = ["--otlp", collector.url, "--otlp-interval", "1s", "--otlp-temporality", "delta"];
  await using run = MetricsRun.start([...args, "--follow", recordsIn(folder)]);
  const { body } = await collector.push(3);
  assertEquals(Object.values(otlpCounts(otlpMetrics(body).get(HANDSHAKES))), [2, 1]);
  await run.says(/^synsnoop: Pushing metrics to http:.*\/v1\/metrics again$/);
  assertEquals(await run.stop(), 0);
  const said = run.said.filter((line) => line.includes("Cannot push"));
  assertEquals(said.length, 1);
  assertStringIncludes(said[0], "/v1/metrics: it answers 503 Service Unavailable; what is counted");
});

Deno.test("metrics does not try again what a collector refuses", async () => {
  using folder = new Folder();
  await using collector = new Collector([() => new Response("no", { status: 400 })]);
  await using run = MetricsRun.start(["--otlp", collector.url, recordsIn(folder)]);
  assertEquals(await run.ended(), 1);
  assertEquals(collector.received.length, 1);
  await run.says(/Cannot push the last metrics to http:.*: it answers 400 Bad Request/);
});

Deno.test("metrics tells of points that a collector rejects", async () => {
  using folder = new Folder();
  const partial = '{"partialSuccess":{"rejectedDataPoints":"2","errorMessage":"too old"}}';
  await using collector = new Collector([() => new Response(partial)]);
  await using run = MetricsRun.start(["--otlp", collector.url, recordsIn(folder)]);
  assertEquals(await run.ended(), 0);
  await run.says(/takes the metrics but rejects 2 data points of them$/);
});

Deno.test("metrics goes on without a collector, and ends", async () => {
  using folder = new Folder();
  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const gone = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  gone.close();
  for (const [{ port }, reason] of [[gone.addr, "refused"], [silent.addr, ""]] as const) {
    await using run = MetricsRun.start([
      ...["--otlp", `http://127.0.0.1:${port}`, "--otlp-interval", "1s", "--follow"],
      recordsIn(folder),
    ]);
    using _held = reason === "" ? await silent.accept() : undefined;
    if (reason !== "") {
      await run.says(new RegExp(`Cannot push metrics to http:.*:${port}/v1/.*${reason}`));
    }
    const beginMs = performance.now();
    assertEquals(await run.stop(), 1);
    assert(performance.now() - beginMs < 10_000);
    await run.says(/Cannot push the last metrics/);
  }
});

Deno.test("metrics --metrics-file writes a whole file that all may read, whatever the umask", async () => {
  using folder = new Folder();
  const file = `${folder.path}/synsnoop.prom`;
  // What stands there is not written through.
  const elsewhere = `${folder.path}/elsewhere`;
  Deno.writeTextFileSync(elsewhere, "mine");
  Deno.symlinkSync(elsewhere, file);
  const records = recordsIn(folder);
  const [command, ...args] = taskCommand("metrics", ["--metrics-file", file, records]);
  await using run = new SpeakingRun(["sh", "-c", 'umask 077 && exec "$@"', "sh", command, ...args]);
  assertEquals(await run.ended(), 0);
  const text = Deno.readTextFileSync(file);
  assertEquals(sumOf(text, "synsnoop_handshakes_total"), 3);
  assert(text.endsWith("\n") && !text.includes("process_"));
  assertEquals(Deno.lstatSync(file).mode! & 0o777, 0o644);
  assertEquals(Deno.readTextFileSync(elsewhere), "mine");
  assertEquals([...Deno.readDirSync(folder.path)].length, 3);
});

Deno.test("metrics --metrics-file says that it cannot write", async () => {
  using folder = new Folder();
  const file = `${folder.path}/nowhere/synsnoop.prom`;
  await using run = MetricsRun.start(["--metrics-file", file, recordsIn(folder)]);
  assertEquals(await run.ended(), 1);
  assertEquals(
    run.said.filter((line) => line.includes("Cannot write metrics")),
    [`synsnoop: Cannot write metrics to "${file}": its folder is not there; going on without`],
  );
});

Deno.test("replaceFile makes a file that all may read, whatever the umask", () => {
  using folder = new Folder();
  const before = Deno.umask(0o077);
  try {
    replaceFile(`${folder.path}/a.prom`, "a");
    assertEquals(Deno.umask(), 0o077);
  } finally {
    Deno.umask(before);
  }
  assertEquals(Deno.statSync(`${folder.path}/a.prom`).mode! & 0o777, 0o644);
});

Deno.test("replaceFile leaves one whole text or the other, and nothing beside it", async () => {
  using folder = new Folder();
  const path = `${folder.path}/a.prom`;
  const texts = ["a".repeat(100_000), "b".repeat(50_000)];
  replaceFile(path, texts[0]);
  // What another run left in the midst.
  Deno.symlinkSync("/etc/passwd", `${path}.${Deno.pid}.new`);
  for (let nth = 0; nth < 50; nth++) {
    const reading = Deno.readTextFile(path);
    replaceFile(path, texts[nth % 2]);
    assert(texts.includes(await reading));
  }
  assertEquals([...Deno.readDirSync(folder.path)].map(({ name }) => name), ["a.prom"]);
});

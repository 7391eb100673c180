// What is given to Prometheus, and the examples beside it, held against Prometheus' own tool.
import { assert, assertEquals, assertGreater } from "@std/assert";
import { parseListenAddress } from "../../src/http/listen_address.ts";
import { type MetricName, METRICS } from "../../src/output/metrics/names.ts";
import { findPrometheus, promtool } from "../prometheus.ts";
import { Folder } from "../folder.ts";
import { skippableTest } from "../netns/namespace.ts";
import { alertNames, dashboardQuestions, dashboardVariables, EXAMPLES } from "./dashboard.ts";

const found = await findPrometheus();
const [tools, obstacle] = typeof found === "string" ? [undefined, found] : [found, undefined];

async function check(args: readonly string[], input?: string): Promise<string> {
  const { code, said } = await promtool(tools!, args, input);
  assertEquals(code, 0, said);
  return said;
}

skippableTest("promtool finds no fault with the metrics", obstacle, async () => {
  const text = Deno.readTextFileSync(new URL("../golden/metrics.prom", import.meta.url));
  assertEquals(await check(["check", "metrics"], text), "");
  // It would say so.
  const { said } = await promtool(tools!, ["check", "metrics"], "bad_metric_total{a=1} 1\n");
  assertGreater(said.length, 0);
});

skippableTest(
  "promtool finds no fault with the examples, and their tests pass",
  obstacle,
  async () => {
    await check(["check", "config", `${EXAMPLES}prometheus.yml`]);
    await check(["test", "rules", `${EXAMPLES}alert_rules_test.yml`]);
  },
);

skippableTest("promtool reads every question of the dashboard", obstacle, async () => {
  using folder = new Folder();
  const rules = dashboardQuestions().map(({ expr }, nth) => ({ record: `r:${nth}`, expr }));
  const path = `${folder.path}/rules.yml`;
  // JSON is YAML.
  Deno.writeTextFileSync(path, JSON.stringify({ groups: [{ name: "dashboard", rules }] }));
  await check(["check", "rules", path]);
});

Deno.test("every alert has a test in which it fires, and one in which it does not", () => {
  const tests = Deno.readTextFileSync(`${EXAMPLES}alert_rules_test.yml`);
  const names = alertNames();
  assertGreater(names.length, 5);
  for (const name of names) {
    const [, ...cases] = tests.split(new RegExp(`alertname: ${name}\\s+exp_alerts:`));
    const fires = cases.map((each) => !/^\s*\[\]/.test(each));
    assert(fires.includes(true) && fires.includes(false), name);
  }
});

Deno.test("the examples ask for metrics that there are", () => {
  const metrics: readonly MetricName[] = Object.values(METRICS);
  const names = new Set(metrics.flatMap(({ prometheus, kind }) => {
    if (kind === "counter") return [`${prometheus}_total`];
    if (kind === "gauge") return [prometheus];
    return ["_bucket", "_sum", "_count"].map((suffix) => prometheus + suffix);
  }));
  const texts = [
    ...dashboardQuestions().map(({ expr }) => expr),
    ...dashboardVariables(),
    ...["recording_rules.yml", "alert_rules.yml", "alert_rules_test.yml"]
      .map((file) => Deno.readTextFileSync(EXAMPLES + file)),
  ];
  const asked = texts.flatMap((text) =>
    text.match(/(?<![\w:])(?:synsnoop|process)_\w+(?![\w:-])/g) ?? []
  );
  assertGreater(asked.length, 30);
  assertEquals(asked.filter((name) => !names.has(name)), []);
});

Deno.test("systemd listens where Prometheus asks, and for the service of the package", () => {
  const socket = Deno.readTextFileSync(`${EXAMPLES}synsnoop-metrics.socket`);
  const [, address] = /^ListenStream=(.*)$/m.exec(socket)!;
  assertEquals(parseListenAddress(address)?.kind, "tcp");
  const prometheus = Deno.readTextFileSync(`${EXAMPLES}prometheus.yml`);
  assert(prometheus.includes(`- targets: ["${address}"]`));
  const [, service] = /^Service=(.*)$/m.exec(socket)!;
  const unit = new URL(`../../src/install/service/${service}`, import.meta.url);
  assert(Deno.readTextFileSync(unit).includes("ExecStart=/usr/bin/synsnoop trace --config"));
});

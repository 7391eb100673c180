import { assertEquals } from "@std/assert";
import { Coverage } from "../../../../src/output/report/coverage.ts";

const STATUS = {
  host: "web1",
  host_id: "1",
  tracer: "4-5",
  time: "2026-11-23T01:02:03.000000000Z",
  since: "2026-11-23T01:01:03.000000000Z",
  filters: ["--port 443"],
  sample: 1,
  sources: { wire: [{ netns: 1, interface: "eth0", up: true }], kernel: "fentry" },
};

Deno.test("Coverage knows of each run of a tracer when it ran and what it could see", () => {
  const coverage = new Coverage();
  coverage.take("status", STATUS);
  coverage.take("status", {
    ...STATUS,
    time: "later",
    sources: { wire: [{ interface: "eth0", up: false }], kernel: "none" },
  });
  coverage.take("status", { ...STATUS, tracer: "9-9", sample: 4 });
  coverage.take("summary", STATUS);
  const [run, other, ...more] = coverage.runs();
  assertEquals([run.host, run.since, run.until, run.lines], ["web1", STATUS.since, "later", 2]);
  assertEquals([run.withoutKernel, [...run.kernels], [...run.down]], [1, ["fentry"], ["eth0"]]);
  assertEquals([other.sample, run.sample, more], [4, 1, []]);
});

Deno.test("Coverage counts the handshakes of each host, the most first", () => {
  const coverage = new Coverage();
  for (const host of ["a", "b\x1b[31m", "b\x1b[31m"]) coverage.count(host);
  assertEquals(coverage.hosts(), [["b\\u{1b}[31m", 2], ["a", 1]]);
});

Deno.test("Coverage is bounded, whatever hosts, tracers and names there are", () => {
  const coverage = new Coverage();
  for (let at = 0; at < 1_000; at++) {
    coverage.count(`host${at}`);
    const wire = Array.from({ length: 100 }, (_, n) => ({ interface: `i${at}.${n}`, up: false }));
    coverage.take("status", { ...STATUS, tracer: `${at}`, sources: { wire } });
    coverage.take("status", { ...STATUS, tracer: "0", sources: { kernel: "x".repeat(at), wire } });
  }
  assertEquals(coverage.hosts().length, 257);
  assertEquals(coverage.hosts()[0], ["(other hosts)", 744]);
  assertEquals([coverage.runs().length, coverage.moreRuns], [64, 936]);
  const [run] = coverage.runs();
  assertEquals([run.down.size, run.kernels.size], [8, 8]);
});

Deno.test("Coverage takes of a line what it can use, whatever stands there", () => {
  const coverage = new Coverage();
  coverage.take("status", { host: 5, filters: "no", sample: -1, sources: { wire: 7, kernel: {} } });
  coverage.take("status", { filters: [1, "\x07"], sources: null });
  coverage.take("status", { sources: { wire: [null, { up: false }] } });
  const [run, other] = coverage.runs();
  assertEquals([run.host, run.filters, run.sample, run.since], ["(unknown)", [], 1, "(unknown)"]);
  assertEquals([other.filters, [...other.down]], [[], ["(unknown)"]]);
});

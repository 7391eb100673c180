// Both ends of a handshake joined, against the truth of a made-up fleet.
// Covers src/cli/pairs.ts
// Covers src/cli/flags/pairs_options.ts
// Covers src/store/pairs/find_pairs.ts
// Covers src/store/pairs/pair_questions.ts
// Covers src/store/pairs/pair_text.ts
// Covers src/store/pairs/matches_sql.ts
// Covers src/store/pairs/pairs_sql.ts
// Covers src/store/query/records.ts
import { assert, assertEquals, assertGreater, assertLessOrEqual, assertMatch } from "@std/assert";
import { VERDICTS } from "../../src/match/both_ends.ts";
import { seal } from "../../src/store/seal.ts";
import { formatSegmentName } from "../../src/store/segment_name.ts";
import type { Schema } from "../../src/output/schema_parts.ts";
import { pairsSchema } from "../../src/store/pairs/pair_schema.ts";
import { schemaErrors } from "../unit/record/schema_checker.ts";
import { EPOCH_SECONDS } from "../unit/record/sample_handshakes.ts";
import { Folder } from "../folder.ts";
import { type PairLine, PairTruth, tellsSteps } from "./check_pairs.ts";
import { aheadOf, type Host, makePairs } from "./made_pairs.ts";

const MAIN = new URL("../../src/main.ts", import.meta.url).pathname;
const HOSTS: readonly Host[] = [
  { name: "web1", address: "10.0.0.10", aheadNs: 0, driftPpb: 0 },
  { name: "api1", address: "10.0.1.10", aheadNs: 3_217_000, driftPpb: 1_700 },
  { name: "db1", address: "2001:db8::10", aheadNs: -41_530_000, driftPpb: -12_400 },
];
const COUNT = 6_000;
const SECONDS = 300;

function runPairs(args: readonly string[]) {
  return runTool("pairs", args);
}

async function runTool(command: "pairs" | "query", args: readonly string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", MAIN, command, ...args],
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  const out = decoder.decode(stdout);
  return { status: code, out, said: decoder.decode(stderr) };
}

/** @param says What is said beside them. */
async function linesOf(inputs: readonly string[], says = /^$/): Promise<PairLine[]> {
  const { status, out, said } = await runPairs([...inputs, "--json"]);
  assertEquals(status, 0);
  assertMatch(said, says);
  const lines = out.trimEnd().split("\n").map((line) => JSON.parse(line));
  const [pair, clock, delay_change] = pairsSchema().oneOf as Schema[];
  const schemas = { pair, clock, delay_change };
  for (const line of lines) {
    assertEquals(schemaErrors(schemas[line.event as PairLine["event"]], line), []);
  }
  return lines;
}

Deno.test("every pair is found, with the right verdict, and no other", async (t) => {
  using folder = new Folder();
  const { fates, textOf, statusOf } = makePairs(HOSTS, COUNT, SECONDS);
  const inputs = HOSTS.map((host) => folder.write(host.name, textOf(host.name) + statusOf(host)));
  const lines = await linesOf(inputs);
  const pairs = new Map(
    lines.filter(({ event }) => event === "pair").map((line) => [line.client.isn, line]),
  );
  const clocks = lines.filter(({ event }) => event === "clock");

  await t.step("pairs and verdicts", () => {
    assertEquals(pairs.size, COUNT);
    for (const fate of fates) {
      const pair = pairs.get(fate.isn)!;
      const isPaired = !["syn_lost", "refused_on_the_way"].includes(fate.verdict);
      assertEquals(
        [pair.verdict, pair.client.host, pair.server.host],
        [fate.verdict, fate.client, isPaired ? fate.server : undefined],
      );
      const isKnownByBoth = ["established", "ack_lost"].includes(fate.verdict);
      const tier = !isPaired ? undefined : !fate.isTranslated ? 1 : isKnownByBoth ? 2 : 3;
      assertEquals(pair.tier, tier, JSON.stringify(fate));
      assertEquals(pair.network_rtt_ns, fate.networkRttNs);
      assertEquals([pair.syns_lost, pair.syn_acks_lost], [fate.synsLost, fate.synAcksLost]);
    }
    assertEquals(
      lines.map(({ time }) => time).slice(0, COUNT),
      [
        ...lines.map(({ time }) => time).slice(0, COUNT),
      ].sort(),
    );
  });

  await t.step("clocks, within their bounds in every minute", () => {
    assertGreater(clocks.length, 12);
    for (
      const { time, host, other_host, offset_ns, uncertainty_ns, drift_ppb, stepped } of clocks
    ) {
      const [one, other] = [host, other_host].map((name) => HOSTS.find((it) => it.name === name)!);
      const [second, fraction] = time.slice(0, -1).split(".");
      const clockSeconds = Date.parse(`${second}Z`) / 1_000 - EPOCH_SECONDS +
        Number(`0.${fraction}`);
      const seconds = clockSeconds - one.aheadNs / 1e9;
      const ahead = aheadOf(other, seconds * 1e9) - aheadOf(one, seconds * 1e9);
      assertLessOrEqual(Math.abs(ahead - offset_ns!), uncertainty_ns + 2, `${host} ${other_host}`);
      assertLessOrEqual(Math.abs(drift_ppb - (other.driftPpb - one.driftPpb)), 200);
      assertEquals(stepped, false);
    }
  });

  await t.step("the tables add up", async () => {
    const { out } = await runPairs(inputs);
    const [paths, verdicts] = out.split("\n\n").map((table) =>
      table.trimEnd().split("\n").slice(1).map((line) => line.split(/\s{2,}/))
    );
    const sum = (rows: string[][], column: number) =>
      rows.reduce((total, row) => total + Number(row[column]), 0);
    assertEquals([sum(paths, 2), sum(verdicts, 3)], [COUNT, COUNT]);
    const lost = (name: "synsLost" | "synAcksLost") =>
      fates.reduce((total, fate) => total + (fate[name] ?? 0), 0);
    assertEquals([sum(paths, 4), sum(paths, 5)], [lost("synsLost"), lost("synAcksLost")]);
  });
});

Deno.test("a clock that is set is told, and bounds hold before and after", async () => {
  using folder = new Folder();
  const hosts = [HOSTS[0], { ...HOSTS[1], step: { atSeconds: 140, byNs: 50e6 } }, HOSTS[2]];
  const { fates, textOf, statusOf } = makePairs(hosts, COUNT, SECONDS);
  const lines = await linesOf(
    hosts.map((host) => folder.write(host.name, textOf(host.name) + statusOf(host))),
  );
  const truth = new PairTruth(hosts);
  for (const fate of fates) truth.add(fate);
  async function* texts() {
    for (const line of lines) yield JSON.stringify(line);
  }
  const { truePairs, found, windows, unknownWindows, steps, ...faults } = await truth.check(
    texts(),
  );
  assertEquals(found, truePairs);
  for (const [name, count] of Object.entries(faults)) assertEquals(count, 0, name);
  // The minute in which it was set has no bounds, at both of its neighbours.
  assertEquals([windows > 15, unknownWindows], [true, 2]);
  assert(tellsSteps(hosts, { steps }), JSON.stringify(steps));
});

Deno.test("what was lost on the way is claimed only where the other host was watching", async (t) => {
  const { fates, textOf, statusOf } = makePairs(HOSTS, 600, SECONDS);
  const unpaired =
    fates.filter(({ verdict }) => verdict === "syn_lost" || verdict === "refused_on_the_way")
      .length;
  for (
    const [name, more] of [
      ["no status line", undefined],
      ["a filter", { filters: ["--port 80"] }],
      ["a sample", { sample: 10 }],
      ["no interface", { sources: { wire: [], kernel: "fentry" } }],
      ["a trace that began later", { since: "2030-01-01T00:00:00.000000000Z" }],
    ] as const
  ) {
    await t.step(name, async () => {
      using folder = new Folder();
      const lines = await linesOf(
        HOSTS.map((host) =>
          folder.write(host.name, textOf(host.name) + (more ? statusOf(host, more) : ""))
        ),
      );
      const count = (verdict: string) => lines.filter((line) => line.verdict === verdict).length;
      assertEquals(count("server_end_not_seen"), unpaired);
      assertEquals([count("syn_lost"), count("refused_on_the_way")], [0, 0]);
    });
  }
});

Deno.test("clocks that are three hours apart are no obstacle", async () => {
  using folder = new Folder();
  const hosts = [HOSTS[0], { ...HOSTS[1], aheadNs: 3 * 3_600e9 }];
  const { fates, textOf, statusOf } = makePairs(hosts, 1_000, SECONDS);
  const inputs = hosts.map((host) => folder.write(host.name, textOf(host.name) + statusOf(host)));
  const lines = await linesOf(
    inputs,
    /^synsnoop: the clock of "web1" is about 3\.0 hours behind the one of "api1": pairs are found by their numbers\n$/,
  );
  const verdicts = new Map(lines.map(({ client, verdict }) => [client?.isn, verdict]));
  for (const { isn, verdict } of fates) assertEquals(verdicts.get(isn), verdict);
  const clock = lines.find(({ event }) => event === "clock")!;
  const ahead = clock.host === "web1" ? clock.offset_ns! : -clock.offset_ns!;
  assertLessOrEqual(Math.abs(ahead - 3 * 3_600e9), 2e6);
});

/** Records with other names and ids of their hosts. */
function relabelled(text: string, label: Record<string, string | undefined>): string {
  return text.trimEnd().split("\n").map((line) =>
    JSON.stringify({ ...JSON.parse(line), ...label }) + "\n"
  ).join("");
}

Deno.test("pairs tells hosts apart by their ids, and says what their names are", async (t) => {
  const { fates, textOf } = makePairs(HOSTS.slice(0, 2), 500, 60);
  const paired = fates.filter(({ serverNs }) => serverNs !== undefined).length;
  const [web, api] = ["web1", "api1"].map(textOf);
  const half = web.indexOf("\n", web.length / 2) + 1;
  const [idA, idB] = ["aaaaaaaa11112222", "bbbbbbbb33334444"];
  const cases: [what: string, texts: string[], says: RegExp, hosts: string[]][] = [
    [
      "a name that two hosts share",
      [
        relabelled(web, { host: "node", host_id: idA }),
        relabelled(api, { host: "node", host_id: idB }),
      ],
      /2 hosts are called "node": they are told apart by their ids/,
      ["node (aaaaaaaa)", "node (bbbbbbbb)"],
    ],
    [
      "a host that was renamed",
      [
        relabelled(web.slice(0, half), { host: "old", host_id: idA }),
        relabelled(web.slice(half), { host: "new\u202e", host_id: idA }),
        relabelled(api, { host: "api1", host_id: idB }),
      ],
      /"new\\u\{202e\}" and "old" are one host by its id: it is called "new\\u\{202e\}"/,
      ["api1", "new\u202e"],
    ],
    [
      "records that name no host",
      [relabelled(web, {}), relabelled(api, {}), relabelled(api, { host: undefined })],
      /Cannot read all of "[^"]+": \d+ of its lines are no records .*; line 1: host is missing/,
      ["api1", "web1"],
    ],
  ];
  for (const [what, texts, says, hosts] of cases) {
    await t.step(what, async () => {
      using folder = new Folder();
      const inputs = texts.map((text, at) => folder.write(`${at}`, text));
      const { status, out, said } = await runPairs([...inputs, "--json"]);
      assertEquals(status, says.source.startsWith("Cannot read") ? 1 : 0);
      assertMatch(said, says);
      const lines: PairLine[] = out.trimEnd().split("\n").map((line) => JSON.parse(line));
      const pairs = lines.filter(({ tier }) => tier !== undefined);
      assertEquals(pairs.length, paired);
      assertEquals([...new Set(pairs.map(({ client }) => client.host))].sort(), hosts);
    });
  }
});

Deno.test("pairs joins nothing where a router rewrites initial sequence numbers, and says so", async () => {
  using folder = new Folder();
  const { fates, textOf, statusOf } = makePairs(HOSTS.slice(0, 2), 400, 60);
  // What passes it has other numbers behind it, each direction by a constant of its own.
  const rewritten = (text: string) =>
    text.trimEnd().split("\n").map((line) => {
      const record = JSON.parse(line);
      if (record.role !== "server") return line + "\n";
      record.client.isn = record.client.isn + 0x7fff_1235 >>> 0;
      if (record.server.isn !== undefined) {
        record.server.isn = record.server.isn + 0x0abc_def1 >>> 0;
      }
      return JSON.stringify(record) + "\n";
    }).join("");
  const inputs = HOSTS.slice(0, 2).map((host) =>
    folder.write(host.name, rewritten(textOf(host.name)) + statusOf(host))
  );
  const lines = await linesOf(inputs);
  assertGreater(lines.length, fates.length);
  assertEquals(lines.filter(({ tier }) => tier !== undefined), []);
  // The server's host was watching, and told of every SYN that came, by other numbers.
  const ofClients = lines.filter(({ verdict }) => verdict !== "client_end_not_seen");
  assertGreater(fates.filter(({ verdict }) => verdict === "dropped_by_server").length, 0);
  assertEquals(ofClients.filter(({ syns_lost }) => syns_lost !== undefined), []);
  assertEquals(new Set(ofClients.map(({ verdict }) => verdict)), new Set(["server_end_not_seen"]));
  const { status, out, said } = await runPairs(inputs);
  assertEquals(status, 0);
  assert(!/syn_lost|refused_on_the_way/.test(out), out);
  assertMatch(
    said,
    /web1 told of \d+ handshakes with api1, api1 of \d+, and no two fit: a firewall/,
  );
});

Deno.test("pairs of which none was established say nothing of clocks", async () => {
  using folder = new Folder();
  const { fates, textOf, statusOf } = makePairs(HOSTS, 300, SECONDS);
  const lines = await linesOf([
    ...HOSTS.map((host) => folder.write(host.name, textOf(host.name) + statusOf(host))),
    ...["--outcome", "timeout,half_open"],
  ]);
  const lost = fates.filter(({ verdict }) => verdict === "answer_lost");
  assertEquals(
    lines.filter(({ tier }) => tier !== undefined).map(({ verdict }) => verdict),
    lost.map(() => "answer_lost"),
  );
  assertEquals(lines.filter(({ event }) => event !== "pair"), []);
});

Deno.test("pairs asks a store and files together, and filters by what pairs need not", async () => {
  using folder = new Folder();
  const { fates, textOf, statusOf } = makePairs(HOSTS.slice(0, 2), 500, 60);
  const [web, api] = HOSTS.map(({ name }, at) =>
    textOf(name === "db1" ? "web1" : name) + (at < 2 ? statusOf(HOSTS[at]) : "")
  );
  Deno.mkdirSync(`${folder.path}/store`);
  const name = formatSegmentName({ hour: "2026-11-23T01", host: "api1", tracer: "1-1" });
  const segment = folder.write(`store/${name}`, api);
  await seal(segment, "test");
  const inputs = [folder.write("web1", web), `${folder.path}/store`];
  // The first time the Parquet twin is made, the second it is there with all its columns.
  for (const _ of [1, 2]) {
    const lines = await linesOf([...inputs, "--server-port", "443", "--not-comm", "nobody"]);
    assertEquals(lines.filter(({ event }) => event === "pair").length, fates.length);
  }
});

Deno.test("pairs, paths and clocks are questions of query", async (t) => {
  using folder = new Folder();
  // A clock that drifts and one that is set are no delays of a way.
  const hosts = [HOSTS[0], { ...HOSTS[1], step: { atSeconds: 140, byNs: 50e6 } }, HOSTS[2]];
  const { fates, textOf, statusOf } = makePairs(hosts, 6_000, SECONDS);
  const inputs = hosts.map((host) => folder.write(host.name, textOf(host.name) + statusOf(host)));
  const ask = async (...args: string[]) => {
    const run = await runTool("query", [...inputs, ...args]);
    assertEquals([run.status, run.said], [0, ""]);
    return run.out;
  };
  const rowsOf = (text: string) => text.trimEnd().split("\n").map((line) => JSON.parse(line));

  await t.step("pairs, of which the first few come", async () => {
    const rows = rowsOf(await ask("pairs", "--json", "--limit", "7"));
    assertEquals(rows.length, 7);
    for (const { verdict, client_port, client_host, network_rtt_ns } of rows) {
      const fate = fates.find(({ port, client }) =>
        port === client_port && client === client_host
      )!;
      assertEquals([verdict, network_rtt_ns ?? undefined], [fate.verdict, fate.networkRttNs]);
    }
  });
  await t.step("paths", async () => {
    const rows = rowsOf(await ask("paths", "--json"));
    assertEquals(rows.length, 6);
    for (const row of rows) {
      const own = fates.filter(({ client, server }) =>
        client === row.client_host && server === row.server_host
      );
      const rtts = own.flatMap(({ networkRttNs }) => networkRttNs ?? []).sort((a, b) => a - b);
      // Made up: 50 µs at most, each way.
      for (const wait of [row.wait_there_p99_ns, row.wait_back_p99_ns]) {
        assertEquals(wait > 30_000 && wait < 60_000, true, `${wait}`);
      }
      const sum = (name: "synsLost" | "synAcksLost") =>
        own.reduce((total, fate) => total + (fate[name] ?? 0), 0);
      assertEquals(
        [row.handshakes, row.syns_lost, row.syn_acks_lost, row.acks_lost, row.network_rtt_p50_ns],
        [
          own.length,
          sum("synsLost"),
          sum("synAcksLost"),
          own.filter(({ verdict }) => verdict === "ack_lost").length,
          rtts[Math.ceil(rtts.length / 2) - 1],
        ],
      );
    }
  });
  await t.step("clocks", async () => {
    const lines = (await linesOf(inputs)).filter(({ event }) => event === "clock");
    const rows = rowsOf(await ask("clocks", "--json", "--limit", "1000"));
    const inShort = (all: PairLine[]) =>
      all.map(({ host, other_host, offset_ns, uncertainty_ns, drift_ppb }) => [
        ...[host, other_host, offset_ns ?? null, uncertainty_ns ?? null, drift_ppb ?? null],
      ]);
    assertEquals(inShort(rows), inShort(lines));
    assertMatch(await ask("clocks", "--csv", "--limit", "1"), /^time,host,other_host,offset_ns,/);
  });
  await t.step("their SQL", async () => {
    assertMatch(await ask("paths", "--explain-sql"), /CREATE TEMP TABLE pairs AS/);
  });
});

Deno.test("pairs says what it cannot do", async (t) => {
  using folder = new Folder();
  const { textOf } = makePairs(HOSTS, 50, 10);
  const one = folder.write("one", textOf("web1"));
  const cases: [args: string[], status: number, says: RegExp][] = [
    [[], 2, /Cannot find pairs in nothing: give stores or FILEs of several hosts/],
    [[one], 1, /Cannot find pairs: the records are of "web1" alone; give those of both ends/],
    [[folder.write("empty", "")], 1, /Cannot find pairs: no record is of one end of a handshake/],
    [[`${folder.path}/none`], 1, /there is no such file/],
    [[one, "--memory", "1M"], 2, /give at least 350M/],
  ];
  for (const [args, status, says] of cases) {
    await t.step(args.join(" ") || "nothing", async () => {
      const run = await runPairs(args);
      assertEquals(run.status, status);
      assertMatch(run.said, says);
    });
  }
  await t.step("--help tells every verdict", async () => {
    const { out } = await runPairs(["--help"]);
    for (const verdict of Object.keys(VERDICTS)) assert(out.includes(`${verdict}: `), verdict);
  });
});

// How ends of one number are joined in a time that grows with them, whoever made them.
import { assert, assertEquals, assertGreater } from "@std/assert";
import { POSSIBLE_ENDS } from "../../src/match/both_ends.ts";
import { type Outcome, OUTCOMES } from "../../src/match/handshake.ts";
import { findMatches } from "../../src/store/pairs/find_pairs.ts";
import { endsSql, matchesSql } from "../../src/store/pairs/matches_sql.ts";
import { NEAR_NS, TIERS } from "../../src/store/pairs/pair_rules.ts";
import { Database } from "../../src/store/query/duckdb.ts";
import { Folder } from "../folder.ts";

/** A record of an end, by what decides which other it belongs to. */
interface End {
  isClient: boolean;
  host: string;
  outcome: Outcome;
  /** Ports of the client and the server: addresses are the same. */
  ports: [client: number, server: number];
  x: number;
  y: number | undefined;
  seconds: number;
  rttNs: number | undefined;
}

const EPOCH = 1_795_395_723;
const COLUMNS: Readonly<Record<string, string>> = {
  nr: "UBIGINT",
  host: "VARCHAR",
  role: "VARCHAR",
  outcome: "VARCHAR",
  client_port: "USMALLINT",
  server_port: "USMALLINT",
  client_isn: "UINTEGER",
  server_isn: "UINTEGER",
  seconds: "BIGINT",
  rtt_client_ns: "BIGINT",
};

/** A database that has the tables of the ends, each by its place as its number. */
async function openWith(folder: Folder, ends: readonly End[]): Promise<Database> {
  const database = await Database.open({ memoryBytes: 512e6, folder: folder.path });
  const lines = ends.map(({ isClient, host, outcome, ports, x, y, seconds, rttNs }, at) =>
    [at, host, isClient ? "client" : "server", outcome, ...ports, x, y, EPOCH + seconds, rttNs]
      .join() + "\n"
  );
  const file = folder.write("ends.csv", lines.join(""));
  const types = Object.entries(COLUMNS).map(([name, type]) => `${name}: '${type}'`).join();
  const none = ["host_id", "reason", "drop_reason", "reset_reason"]
    .map((name) => `NULL::VARCHAR AS ${name}`);
  await database.run(
    `CREATE TEMP TABLE passing AS SELECT *, make_timestamp_ns(seconds * 1000000000) AS time,
    '1-1' AS tracer, '10.0.0.1' AS client_address, '10.0.0.2' AS server_address, ${none.join()},
    1 AS packets_syn, 1 AS packets_syn_ack, 0::BIGINT AS times_syn_ns, 0::BIGINT AS times_syn_ack_ns,
    0::BIGINT AS times_ack_ns FROM read_csv('${file}', header = false, columns = {${types}})`,
  );
  for (const end of ["client", "server"] as const) await database.run(endsSql(end, false));
  return database;
}

type Match = [tier: number, client: number, server: number];

/** What belongs together: each is held against each. */
async function matchesOf(ends: readonly End[], database: Database): Promise<Match[]> {
  const { values: way } = await database.ask("SELECT nr FROM on_the_way");
  const { values: rough } = await database.ask("SELECT client, server, offset_ns FROM rough");
  const onTheWay = new Set(way.flat().map(Number));
  const offsets = new Map(rough.map(([c, s, ns]) => [`${c} ${s}`, Number(ns)]));
  const rest = new Set(ends.keys().filter((at) => !onTheWay.has(at)));
  const found: Match[] = [];
  for (const { tier, equal } of TIERS) {
    const [byClient, byServer] = [new Map<number, number[]>(), new Map<number, number[]>()];
    for (const c of rest) {
      for (const s of rest) {
        const [one, other] = [ends[c], ends[s]];
        if (!one.isClient || other.isClient || one.x !== other.x || one.host === other.host) {
          continue;
        }
        if (!POSSIBLE_ENDS[one.outcome].includes(other.outcome)) continue;
        const [isTuple, isService] = [
          one.ports.join() === other.ports.join(),
          one.ports[1] === other.ports[1],
        ];
        if (equal.includes("tuple") && !isTuple || equal.includes("service") && !isService) {
          continue;
        }
        const apartNs = (other.seconds - one.seconds) * 1e9 -
          (offsets.get(`${one.host} ${other.host}`) ?? 0);
        const fits = equal.includes("y")
          ? one.y !== undefined && one.y === other.y
          : (one.y === undefined || other.y === undefined) && Math.abs(apartNs) < NEAR_NS;
        if (!fits) continue;
        byClient.set(c, [...byClient.get(c) ?? [], s]);
        byServer.set(s, [...byServer.get(s) ?? [], c]);
      }
    }
    for (const [c, [s, ...others]] of byClient) {
      if (others.length > 0 || byServer.get(s)!.length > 1) continue;
      found.push([tier, c, s]);
      rest.delete(c);
      rest.delete(s);
    }
  }
  return found.sort();
}

async function storedMatches(database: Database): Promise<Match[]> {
  const { values } = await database.ask("SELECT tier, c, s FROM matches");
  return values.map((row): Match => row.map(Number) as Match).sort();
}

/** Random ends (MINSTD) of few numbers, many of them about as far apart as they may be. */
function randomEnds(count: number, seed: number): End[] {
  let state = seed * 7_919;
  const dice = (below: number) => {
    state = state * 48_271 % 2_147_483_647;
    return state % below;
  };
  // Two clocks are apart from the others.
  const aheadSeconds = [0, 0, 0, 0, 400, -1_000];
  const hosts = 2 + dice(5);
  const days = [1, 5, 60][dice(3)];
  return Array.from({ length: count }, () => {
    const host = dice(hosts);
    return {
      isClient: dice(2) === 0,
      host: `h${host}`,
      outcome: dice(3) > 0 ? (["timeout", "dropped"] as const)[dice(2)] : OUTCOMES[dice(8)],
      ports: [1 + dice(2), 1 + dice(2)],
      x: dice(2) * dice(2) * dice(40),
      y: dice(3) === 0 ? dice(3) : undefined,
      seconds: aheadSeconds[host] + dice(days) * 300 + [0, 1, 149, 150, 151, dice(300)][dice(6)],
      rttNs: dice(6) === 0 ? dice(5) : undefined,
    };
  });
}

Deno.test("of ends that share numbers those are found that nothing else can belong to", async (t) => {
  const found = new Map<string, number>();
  let clocksApart = 0;
  for (let seed = 1; seed <= 24; seed++) {
    for (const isCrowded of [false, true]) {
      await t.step(`ends ${seed}, ${isCrowded ? "few of them joined" : "all joined"}`, async () => {
        using folder = new Folder();
        const ends = randomEnds([40, 150, 400][seed % 3], seed);
        using database = await openWith(folder, ends);
        for (const sql of matchesSql(isCrowded)) await database.run(sql);
        const matches = await storedMatches(database);
        assertEquals(matches, await matchesOf(ends, database));
        const { values: [[apart]] } = await database.ask(
          "SELECT count(*) FROM rough WHERE offset_ns <> 0",
        );
        clocksApart += Number(apart);
        for (const [tier] of matches) {
          const key = `${tier} ${isCrowded}`;
          found.set(key, 1 + (found.get(key) ?? 0));
        }
      });
    }
  }
  assertGreater(clocksApart, 20);
  for (const tier of [1, 2, 3]) {
    for (const isCrowded of [false, true]) assertGreater(found.get(`${tier} ${isCrowded}`)!, 10);
  }
});

/** When a span of 150 s begins, seconds: now, and before and after the first moment of Unix time. */
const BEGINS = [150 - EPOCH % 150, -EPOCH, -EPOCH - 75];

/** Ends of one side within a span, and one of the other that is near several of them, by its host. */
const BETWEEN: Readonly<Record<string, { ends: [host: string, at: number][]; other: string }>> = {
  "its own host's": { ends: [["a", 0], ["a", 50], ["a", 100]], other: "b" },
  "other hosts'": {
    ends: [["a", 0], ["b", 10], ["c", 20], ["d", 100], ["e", 140]],
    other: "a",
  },
};

Deno.test("an end between others is not left out where something else could belong to it", async (t) => {
  const sides = [true, false].flatMap((isClient) =>
    [true, false].flatMap((isBefore) => BEGINS.map((begin) => ({ isClient, isBefore, begin })))
  );
  for (const [name, { ends, other }] of Object.entries(BETWEEN)) {
    for (const { isClient, isBefore, begin } of sides) {
      const end = isClient ? "a client's" : "a server's";
      await t.step(
        `${end} between ${name}, ${isBefore ? "later" : "earlier"}, ${begin}`,
        async () => {
          using folder = new Folder();
          const endOf = (isClient: boolean, host: string, seconds: number): End => ({
            ...{ isClient, host, ports: [1, 443], x: 7, y: undefined, rttNs: undefined },
            outcome: isClient ? "timeout" : "dropped",
            seconds: begin + (isBefore ? seconds : 149 - seconds),
          });
          const all = ends.map(([host, at]) => endOf(isClient, host, at));
          all.push(endOf(!isClient, other, -95));
          using database = await openWith(folder, all);
          for (const sql of matchesSql(true)) await database.run(sql);
          assertEquals(await storedMatches(database), []);
          assertEquals(await matchesOf(all, database), []);
        },
      );
    }
  }
});

const COUNT = 3_000;
/** Ends of one number, told all day, by what else they have. */
const CROWDS: Readonly<Record<string, (at: number) => Partial<End>>> = {
  "with both numbers": () => ({ outcome: "established", y: 8 }),
  "without an answer": () => ({}),
  "of one moment": () => ({ seconds: 7 }),
  "from many ports": (at) => ({ ports: [at, 443] }),
  "by many hosts": (at) => ({ host: `h${at % 40}`, isClient: at % 80 < 40 }),
};

Deno.test("one SYN that is told all day is not held against itself end by end", async (t) => {
  for (const [name, having] of Object.entries(CROWDS)) {
    await t.step(name, async () => {
      using folder = new Folder();
      const ends = Array.from({ length: COUNT }, (_, at): End => {
        const isClient = at % 2 === 0;
        const alone = { host: isClient ? "a" : "b", ports: [1, 443] satisfies [number, number] };
        const seconds = Math.floor(at * 86_400 / COUNT);
        const end = { ...alone, isClient, x: 7, y: undefined, seconds, rttNs: undefined };
        const { isClient: isOther = isClient, ...rest } = having(at);
        return { ...end, outcome: isOther ? "timeout" : "dropped", isClient: isOther, ...rest };
      });
      // And a handshake of its own.
      const own: End = { ...ends[0], ports: [2, 80], x: 9 };
      ends.push(own, { ...own, isClient: false, host: "c", outcome: "dropped" });
      using database = await openWith(folder, ends);
      const ran: string[] = [];
      await findMatches({
        run: (sql) => (ran.push(sql), database.run(sql)),
        ask: (sql, isForeign) => database.ask(sql, isForeign),
      });
      assert(ran.some((sql) => sql.includes("QUALIFY")));
      assertEquals(await storedMatches(database), [[1, COUNT, COUNT + 1]]);
    });
  }
});

Deno.test("numbers that come once are joined as they are", async () => {
  using folder = new Folder();
  const ends = Array.from({ length: COUNT }, (_, at): End => ({
    ...{ isClient: at % 2 === 0, host: at % 2 === 0 ? "a" : "b", ports: [1, 443], x: at >> 1 },
    ...{ y: undefined, seconds: at, rttNs: undefined },
    outcome: at % 2 === 0 ? "timeout" : "dropped",
  }));
  using database = await openWith(folder, ends);
  const ran: string[] = [];
  await findMatches({
    run: (sql) => (ran.push(sql), database.run(sql)),
    ask: (sql, isForeign) => database.ask(sql, isForeign),
  });
  assert(!ran.some((sql) => sql.includes("QUALIFY")));
  assertEquals((await storedMatches(database)).length, COUNT / 2);
});

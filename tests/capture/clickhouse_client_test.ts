// What a ClickHouse server answers, and what is said where it does not: with servers of Debian's.
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { ClickHouseServer, type ServerOptions } from "../../src/store/clickhouse/client.ts";
import { ServerError, type ServerFault } from "../../src/store/clickhouse/server_error.ts";
import { ClickHouseFleet, CLUSTER, findClickHouse } from "../clickhouse_fleet.ts";
import { makeFolder } from "../netns/disk.ts";
import { until } from "../netns/namespace.ts";
import { output } from "../vm/command.ts";
import { insertLines, makeTables } from "./loaded_server.ts";
import { linesOf, makeRecords } from "./made_records.ts";

const found = await findClickHouse();
const ignore = typeof found === "string";
const skipped = ignore ? ` (skipped: ${found})` : "";

function serverOf(origin: string, more: Partial<ServerOptions> = {}): ClickHouseServer {
  return new ClickHouseServer({ origin, database: "default", ...more });
}

async function faultOf(work: () => Promise<unknown>): Promise<[ServerFault, string]> {
  const { fault, message } = await assertRejects(work, ServerError);
  assertMatch(message, /^[A-Z]/);
  assertEquals(message.includes("\n"), false);
  return [fault, message];
}

/** A user with a password, one that may change nothing, and one that may not even set limits. */
const USERS = ["full", "asker", "bound", "skipping"].map((name) =>
  `<${name}><password>se'cret</password><networks><ip>127.0.0.1</ip></networks>` +
  `<profile>${name === "full" ? "default" : name}</profile><quota>default</quota></${name}>`
).join("");
const PROFILES = "<asker><readonly>2</readonly></asker><bound><readonly>1</readonly></bound>" +
  "<skipping><readonly>1</readonly><skip_unavailable_shards>1</skip_unavailable_shards></skipping>";

Deno.test(
  `ClickHouseServer asks, inserts and tells what goes wrong${skipped}`,
  { ignore },
  async (t) => {
    if (typeof found === "string") return;
    using folder = makeFolder();
    const [certificate, key] = ["certificate.pem", "key.pem"].map((name) =>
      `${folder.path}/${name}`
    );
    await output([
      ...["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"],
      ...["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"],
      ...["-addext", "basicConstraints=critical,CA:FALSE", "-keyout", key, "-out", certificate],
    ]);
    await using fleet = await ClickHouseFleet.start(found, {
      servers: 2,
      users: USERS,
      profiles: PROFILES,
      tls: { certificate, key },
    });
    await fleet.sql("CREATE TABLE t (a Int64, b String) ENGINE = MergeTree ORDER BY a");
    await fleet.sql("CREATE TABLE t (a Int64, b String) ENGINE = MergeTree ORDER BY a", 1);
    await fleet.sql(`CREATE TABLE all_t AS t ENGINE = Distributed(${CLUSTER}, default, t, a)`);
    using server = serverOf(fleet.url());

    await t.step("its version", async () => {
      await server.open();
      assertMatch(server.version, /^18\.16/);
      assertEquals([server.isAtLeast(18, 16), server.isAtLeast(18, 17), server.isAtLeast(19, 1)], [
        true,
        false,
        false,
      ]);
    });

    await t.step("rows that were inserted, as bytes, as a stream and compressed", async () => {
      const bytes = new TextEncoder().encode('{"a":"9223372036854775807","b":"x\\t\\"\\u0000ü"}\n');
      await server.insert("t", bytes);
      await server.insert("t", new Blob([bytes]).stream());
      const gzip = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
      await server.insert("t", gzip, { encoding: "gzip" });
      const row = ["9223372036854775807", 'x\t"\0ü'];
      assertEquals(await server.ask("SELECT a, b FROM t"), {
        columns: [{ name: "a", type: "Int64" }, { name: "b", type: "String" }],
        values: [row, row, row],
      });
    });

    await t.step("an answer in pieces, and one that is too long to be held", async () => {
      const sql = "SELECT number AS n FROM system.numbers LIMIT 300000";
      let [count, sum, pieces] = [0, 0, 0];
      for await (const rows of server.stream(sql)) {
        pieces++;
        for (const [n] of rows) [count, sum] = [count + 1, sum + Number(n)];
      }
      assertEquals([count, sum, pieces > 1], [300_000, 300_000 * 299_999 / 2, true]);
      using small = serverOf(fleet.url(), { limits: { rowsMax: 1_000 } });
      const [fault] = await faultOf(() => small.ask(sql));
      assertEquals(fault, "limit");
    });

    await t.step("what goes wrong, a sentence each", async () => {
      const cases: [sql: string, fault: ServerFault, says: RegExp][] = [
        ["SELECT * FROM no.t", "no-database", /has no such database: Database no doesn't exist/],
        ["SELECT * FROM nothing", "no-table", /has no such table: Table default\.nothing/],
        ["SELECT c FROM t", "version", /is of another version: .*\bc\b/],
        ["SELECT no_such(a) FROM t", "version", /Unknown function no_such/],
        ["selec", "sql", /Syntax error/],
        ["SELECT 1; SELECT 2", "sql", /Multi-statements are not allowed/],
        ["DROP TABLE t", "rights", /readonly mode/],
        ["CREATE TABLE u (a Int8) ENGINE = Memory", "rights", /readonly mode/],
        ["INSERT INTO t SELECT 1, 'x'", "rights", /readonly mode/],
        ["SET readonly = 0", "rights", /readonly mode/],
        ["SELECT a FROM t SETTINGS readonly = 0", "rights", /readonly mode/],
        ["SELECT * FROM url('http://127.0.0.1:1/', CSV, 'a String')", "rights", /forbidden/],
        ["SELECT * FROM remote('127.0.0.1', system.one)", "rights", /forbidden/],
        ["SELECT 1 INTO OUTFILE 'x'", "sql", /INTO OUTFILE is not allowed/],
      ];
      for (const [sql, fault, says] of cases) {
        const [told, message] = await faultOf(() => server.ask(sql));
        assertEquals([told, sql], [fault, sql]);
        assertMatch(message, says);
      }
      const [fault] = await faultOf(() =>
        server.ask("SELECT sum(number) FROM system.numbers", {
          settings: { max_execution_time: 1 },
        })
      );
      assertEquals(fault, "limit");
    });

    await t.step("who may not", async () => {
      const of = (user: string, password: string) => serverOf(fleet.url(), { user, password });
      using wrong = of("full", "no");
      assertMatch((await faultOf(() => wrong.open()))[1], /refuses this user and password: Wrong/);
      using unknown = of("nobody", "no");
      assertEquals((await faultOf(() => unknown.open()))[0], "authentication");
      for (const name of ["full", "asker", "bound"]) {
        using user = of(name, "se'cret");
        await user.open();
        assertEquals((await user.ask("SELECT count() AS n FROM t")).values, [[3]]);
      }
      using asker = of("asker", "se'cret");
      assertEquals((await faultOf(() => asker.run("DROP TABLE t")))[0], "rights");
    });

    await t.step("TLS: trusted by its certificate alone", async () => {
      const https = `https://127.0.0.1:${fleet.httpsPort}`;
      using distrusting = serverOf(https);
      assertMatch((await faultOf(() => distrusting.open()))[1], /^Cannot trust https:/);
      using trusting = serverOf(https, { caCertificates: [await Deno.readTextFile(certificate)] });
      await trusting.open();
      using plain = serverOf(fleet.url().replace("http:", "https:"));
      assertEquals((await faultOf(() => plain.open()))[0], "tls");
      using bad = serverOf(`http://127.0.0.1:${fleet.httpsPort}`);
      assert(["foreign", "unreachable"].includes((await faultOf(() => bad.open()))[0]));
    });

    await t.step("a question that nobody waits for any more ends at the server", async () => {
      const aborter = new AbortController();
      const running = async () =>
        Number(
          await fleet.sql("SELECT count() FROM system.processes WHERE query_id LIKE 'synsnoop-%'"),
        );
      const asked = faultOf(() =>
        server.ask("SELECT sum(number) FROM system.numbers", { signal: aborter.signal })
      );
      await until("the question runs", async () => await running() === 1);
      aborter.abort();
      assertEquals(await asked, ["cancelled", "It was interrupted"]);
      await until("it runs no more", async () => await running() === 0);

      using hurried = serverOf(fleet.url(), { limits: { answerMs: 300 } });
      const [fault] = await faultOf(() => hurried.ask("SELECT sum(number) FROM system.numbers"));
      assertEquals(fault, "late");
      await until("that runs no more either", async () => await running() === 0);
    });

    await t.step("a server of the cluster that is gone is no smaller number", async () => {
      await server.insert(
        "all_t",
        new TextEncoder().encode('{"a":1,"b":""}\n{"a":2,"b":""}\n'),
        { settings: { insert_distributed_sync: 1 } },
      );
      assertEquals((await server.ask("SELECT count() AS n FROM all_t")).values, [[5]]);
      await fleet.stopServer(1, "SIGKILL");
      const [fault, message] = await faultOf(() => server.ask("SELECT count() AS n FROM all_t"));
      assertEquals(fault, "shard");
      assertMatch(message, /^A server of the cluster of \S+ does not answer: /);
      await fleet.startServer(1);
      assertEquals((await server.ask("SELECT count() AS n FROM all_t")).values, [[5]]);
    });

    await t.step("nobody there", async () => {
      const origin = fleet.url();
      await fleet.stopServer(0, "SIGKILL");
      using gone = serverOf(origin);
      const [fault, message] = await faultOf(() => gone.open());
      assertEquals(fault, "unreachable");
      assertMatch(message, /^Cannot reach http:\/\/127\.0\.0\.1:\d+: .*Connection refused/);
    });
  },
);

Deno.test("ClickHouseServer knows what is no ClickHouse, and follows it nowhere", async () => {
  let asked = 0;
  const options = { hostname: "127.0.0.1", port: 0, onListen() {} };
  await using other = Deno.serve(options, () => {
    asked++;
    return new Response("Ok.\n");
  });
  const elsewhere = `http://127.0.0.1:${other.addr.port}/`;
  const answers: [(ended: Promise<Response>) => Response | Promise<Response>, RegExp][] = [
    [() => new Response("<html>\x1b[2J"), /is no ClickHouse$/],
    [() => new Response("no", { status: 404 }), /is no ClickHouse: it answers 404/],
    [() => Response.redirect(elsewhere), /is no ClickHouse: it answers 302/],
    [() => new Response(endless()), /is no ClickHouse$/],
    [() => new Response(endless(), { status: 500 }), /is no ClickHouse: it answers 500/],
    [(ended) => ended, /^No answer of \S+ in 0\.3 s$/],
  ];
  for (const [answer, says] of answers) {
    const ended = Promise.withResolvers<Response>();
    const server = Deno.serve(options, () => answer(ended.promise));
    using client = serverOf(`http://127.0.0.1:${server.addr.port}`, { limits: { openMs: 300 } });
    const [, message] = await faultOf(() => client.open());
    assertMatch(message, says);
    ended.resolve(new Response());
    await server.shutdown();
  }
  assertEquals(asked, 0);
});

function endless(): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(65_536)) });
}

Deno.test(`records of any day are stored by an old server${skipped}`, { ignore }, async () => {
  if (typeof found === "string") return;
  await using fleet = await ClickHouseFleet.start(found, { servers: 1 });
  using server = await makeTables(fleet, 1);
  const [line] = linesOf(makeRecords(9, 7), "web1").split("\n");
  const days = ["1970-01-01", "2026-11-23", "2106-02-07", "2106-02-08", "2149-06-07", "2261-12-31"];
  for (const day of days) {
    await insertLines(server, line.replace(/"time":"\d{4}-\d\d-\d\d/, `"time":"${day}`));
  }
  const { values } = await server.ask("SELECT count() AS stored FROM handshakes FINAL");
  assertEquals(values, [[days.length]]);
});

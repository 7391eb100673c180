// What brings records to a fleet's server without ship: the statements and configurations of
// src/store/ship/examples, with a present ClickHouse and Debian's rsyslog.
// Covers src/store/clickhouse/lines_sql.ts
import { assert, assertEquals } from "@std/assert";
import { linesSql } from "../../src/store/clickhouse/lines_sql.ts";
import { schemaSql, TABLES } from "../../src/store/clickhouse/schema.ts";
import { flattenLine } from "../../src/store/ship/flatten.ts";
import { messageOf } from "../../src/text/message.ts";
import { freePorts } from "../free_ports.ts";
import { makeFolder } from "../netns/disk.ts";
import { skippableTest, until } from "../netns/namespace.ts";
import { askPresentClickHouse, findPresentClickHouse } from "../present_clickhouse.ts";
import { cached } from "../vm/cache.ts";
import { DebianArchive } from "../vm/debian_archive.ts";
import { encodeHandshake } from "../../src/record/ndjson.ts";
import { CONTEXT, HANDSHAKES } from "../unit/record/sample_handshakes.ts";
import { HOSTS, linesOf, makeRecords } from "./made_records.ts";

const EXAMPLES = new URL("../../src/store/ship/examples/", import.meta.url).pathname;
const GOLDEN = new URL("../golden/", import.meta.url).pathname;
const SUITE = "bookworm";

function example(name: string): string {
  return Deno.readTextFileSync(`${EXAMPLES}${name}`);
}

Deno.test("lines.sql is what the table of fields makes of it", () => {
  const text = linesSql("synsnoop").map((sql) => `${sql};\n`).join("\n");
  if (Deno.args.includes("--update")) Deno.writeTextFileSync(`${EXAMPLES}lines.sql`, text);
  assertEquals(text.split("\n"), example("lines.sql").split("\n"));
});

/** The statement that stands in the address of an example. */
function insertOf(name: string): string {
  const [, query] = /[?&]query=([^"\s&]+)/.exec(example(name))!;
  return decodeURIComponent(query);
}

const engine = await findPresentClickHouse();

skippableTest(
  "a present ClickHouse makes the same rows of raw lines as ship does",
  typeof engine === "string" ? engine : undefined,
  async () => {
    assert(typeof engine !== "string");
    const lines = [
      ...HANDSHAKES.map((handshake) => encodeHandshake(handshake, CONTEXT).trimEnd()),
      ...["status", "summary"].flatMap((name) =>
        Deno.readTextFileSync(`${GOLDEN}${name}.ndjson`).trimEnd().split("\n")
      ),
      '{"v":1,"event":"pair"}',
    ];
    const flat = lines.map(flattenLine);
    // As Vector sends it, as Fluent Bit does, and as ship does.
    const [byVector, byFluentBit, byShip] = ["synsnoop", "fluent", "ship"];
    const into = (database: string, insert: string, text: string) =>
      `${insert.replace("INTO ", `INTO ${database}.`)} ${text}`;
    const answers = await askPresentClickHouse(engine, [
      ...[byVector, byFluentBit, byShip].flatMap((database) => [
        ...schemaSql({ database, cluster: undefined }),
        ...linesSql(database),
      ]),
      into(byVector, insertOf("vector.yaml"), `\n${lines.join("\n")}\n`),
      into(
        byFluentBit,
        insertOf("fluent-bit.conf"),
        lines.map((line) => JSON.stringify({ line })).join("\n"),
      ),
      ...TABLES.map(({ name }) => {
        const rows = flat.flatMap((row) =>
          row.kind === "row" && row.table === name ? row.json : []
        );
        return `INSERT INTO ${byShip}.${name} FORMAT JSONEachRow ${rows.join("")}`;
      }),
      ...TABLES.flatMap(({ name }) =>
        [byVector, byFluentBit, byShip].map((database) =>
          `SELECT * FROM ${database}.${name} ORDER BY toString(tuple(*))`
        )
      ),
    ]);
    assertEquals(answers.flatMap(({ error }) => error ?? []), []);
    const rows = answers.slice(-6).map(({ text }) => text!.split("\n"));
    for (const [at, { name }] of TABLES.entries()) {
      const [vector, fluentBit, ship] = rows.slice(3 * at);
      assertEquals(vector, ship, name);
      assertEquals(fluentBit, ship, name);
    }
    assertEquals([rows[2].length, rows[5].length], [HANDSHAKES.length, 2]);
  },
);

/** Debian's rsyslog, unpacked into the cache of the tests; or why it cannot be had here. */
async function findRsyslog(): Promise<{ command: string[] } | string> {
  if (Deno.build.arch !== "x86_64") return "Debian's rsyslog is unpacked for x86_64 alone";
  try {
    const folder = await cached(`${SUITE}-rsyslog`, async (partial) => {
      if (Deno.env.get("SYNSNOOP_SETUP") === "never") {
        throw new Error("SYNSNOOP_SETUP=never forbids fetching it");
      }
      const lists = await Deno.makeTempDir({ prefix: "synsnoop-debian-" });
      try {
        const archive = await DebianArchive.open(SUITE, lists);
        await archive.unpackClosure(["rsyslog", "rsyslog-relp"], `${partial}/system`);
      } finally {
        await Deno.remove(lists, { recursive: true });
      }
    });
    const libraries = ["usr/lib", "lib"].map((lib) => `${folder}/system/${lib}/x86_64-linux-gnu`);
    return {
      command: [
        ...[`${folder}/system/lib64/ld-linux-x86-64.so.2`, "--library-path", libraries.join(":")],
        ...[`${folder}/system/usr/sbin/rsyslogd`, "-M", `${libraries[0]}/rsyslog`],
      ],
    };
  } catch (error) {
    return `rsyslog cannot be had: ${messageOf(error).split("\n")[0]}`;
  }
}

/** A running rsyslogd. */
class Rsyslog implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;

  constructor([program, ...args]: readonly string[], config: string) {
    this.#child = new Deno.Command(program, {
      args: [...args, "-n", "-f", config, "-i", `${config}.pid`],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGTERM");
    await this.#child.status;
  }
}

const rsyslog = await findRsyslog();

skippableTest(
  "rsyslog brings a store to a collector, byte for byte, while it is written",
  typeof rsyslog === "string" ? rsyslog : undefined,
  async () => {
    assert(typeof rsyslog !== "string");
    using folder = makeFolder();
    for (const name of ["store", "collected", "host", "collector"]) {
      Deno.mkdirSync(`${folder.path}/${name}`);
    }
    const [port] = freePorts(1);
    const config = (name: "host" | "collector") => {
      const path = `${folder.path}/${name}.conf`;
      const text = example(`rsyslog-${name}.conf`)
        .replaceAll("/var/lib/synsnoop", `${folder.path}/store`)
        .replaceAll("/srv/synsnoop", `${folder.path}/collected`)
        .replaceAll("/var/spool/rsyslog", `${folder.path}/${name}`)
        .replaceAll("collector.example.org", "127.0.0.1")
        .replaceAll("2514", `${port}`);
      Deno.writeTextFileSync(path, text);
      const [program, ...args] = rsyslog.command;
      const { success, stderr } = new Deno.Command(program, {
        args: [...args, "-N1", "-f", path],
      }).outputSync();
      assertEquals([success, /error/i.exec(new TextDecoder().decode(stderr))], [true, null]);
      return path;
    };
    const records = makeRecords(2_000, 7);
    const segment = (host: string) => `2026-11-23T01.${host}.4711-1.ndjson`;
    const write = (host: string, text: string) =>
      Deno.writeTextFileSync(`${folder.path}/store/${segment(host)}`, text, { append: true });
    const texts = HOSTS.map((host) => linesOf(records, host));
    const half = texts.map((text) => text.indexOf("\n", text.length / 2) + 1);
    for (const [at, host] of HOSTS.entries()) write(host, texts[at].slice(0, half[at]));
    const collected = (host: string) => {
      try {
        return Deno.readTextFileSync(`${folder.path}/collected/${segment(host)}`);
      } catch {
        return "";
      }
    };
    const arrive = (ends: readonly number[]) =>
      until("all has arrived", () => HOSTS.every((host, at) => collected(host).length >= ends[at]));
    await using _collector = new Rsyslog(rsyslog.command, config("collector"));
    await using _host = new Rsyslog(rsyslog.command, config("host"));
    await arrive(half);
    for (const [at, host] of HOSTS.entries()) write(host, texts[at].slice(half[at]));
    await arrive(texts.map(({ length }) => length));
    for (const [at, host] of HOSTS.entries()) {
      assert(collected(host) === texts[at], `${host}: other bytes`);
    }
  },
);

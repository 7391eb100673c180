// Runs in a guest whose first process is systemd, and in which the package is installed.
import { assertEquals, assertGreater, assertMatch, assertNotEquals } from "@std/assert";
import { zstdDecompressSync } from "node:zlib";
import { TABLES } from "../../../src/store/clickhouse/schema.ts";
import { until } from "../../netns/namespace.ts";
import { lineReader } from "../../line_reader.ts";

const UNIT = "synsnoop.service";
const SHIP_UNIT = "synsnoop-ship.service";
const STORE = "/var/lib/synsnoop";
const FILE = "/var/log/synsnoop/handshakes.ndjson";
/** Emulated, bpftrace takes a minute to begin, each time. */
const TO_STORE = `[trace]\nprobes = "none"\nstore = "${STORE}"\n`;
const TO_FILE = `[trace]\nprobes = "none"\noutput = "${FILE}"\n`;
const DENO = "/usr/lib/synsnoop/deno";
const HANDSHAKES = 1_000;
/** Of each later step. */
const FEW = 100;
/** Emulated, everything takes long. */
const READY_MS = 300_000;

interface Line {
  event: string;
  outcome: string;
  evidence: string[];
  server: { port: number; process?: { comm: string; uid: number } };
  client: { process?: { comm: string } };
  losses?: Record<string, number>;
}

function run(...words: string[]): { status: number; text: string } {
  const { code, stdout, stderr } = new Deno.Command(words[0], {
    args: words.slice(1),
    stdin: "null",
  }).outputSync();
  const decoder = new TextDecoder();
  return { status: code, text: decoder.decode(stdout) + decoder.decode(stderr) };
}

function systemctl(...words: string[]): string {
  const { status, text } = run("systemctl", ...words);
  assertEquals(status, 0, `systemctl ${words.join(" ")}: ${text}${journal()}`);
  return text.trim();
}

let invocation = "";

/** What the service has said since it was started last. */
function journal(unit = UNIT): string {
  // One that has ended has none any more.
  const [, id] = run("systemctl", "show", "--property=InvocationID", unit).text.trim().split("=");
  invocation = id || invocation;
  return run("journalctl", "--output=cat", `_SYSTEMD_INVOCATION_ID=${invocation}`).text;
}

function property(name: string, unit = UNIT): string {
  return systemctl("show", `--property=${name}`, "--value", unit);
}

async function untilSaid(words: RegExp, unit = UNIT): Promise<void> {
  await until(String(words), () => {
    const said = journal(unit);
    assertNotEquals(property("ActiveState", unit), "failed", said);
    return words.test(said);
  }, READY_MS);
}

/** The segments of the store, in the order of their last change. */
function segments(): string[] {
  const changed = (path: string) => Deno.statSync(path).mtime?.getTime() ?? 0;
  return [...Deno.readDirSync(STORE)].map(({ name }) => `${STORE}/${name}`)
    .sort((one, other) => changed(one) - changed(other));
}

/** The lines of some files, in their order. */
function linesOf(...files: string[]): Line[] {
  return files.flatMap((file) => {
    const bytes = Deno.readFileSync(file);
    // An hour may end meanwhile.
    const text = new TextDecoder().decode(
      file.endsWith(".zst") ? zstdDecompressSync(bytes) : bytes,
    );
    return text.slice(0, text.lastIndexOf("\n") + 1).split("\n").slice(0, -1)
      .map((line) => JSON.parse(line));
  });
}

/**
 * Answers at a port as ClickHouse does to who ships, as far as that goes; of what is inserted it keeps the
 * lines. The real one is asked elsewhere.
 */
function takeShipped(port: number): { rows: string[] } & AsyncDisposable {
  const rows: string[] = [];
  const columns = TABLES.flatMap(({ name, columns }) =>
    columns.map((column) => [name, column.name, column.sqlType].join("\t"))
  );
  const tsv = (names: string, types: string, ...lines: string[]) =>
    [names, types, ...lines].map((line) => `${line}\n`).join("");
  const three = ["table\tname\ttype", "String\tString\tString"] as const;
  const server = Deno.serve(
    { hostname: "127.0.0.1", port, onListen: () => {} },
    async (request) => {
      const body = await request.text();
      const { searchParams } = new URL(request.url);
      if (searchParams.get("query")?.startsWith("INSERT")) {
        rows.push(...body.trimEnd().split("\n"));
        return new Response("");
      }
      if (body.includes("system.settings")) {
        const version = "26.7.2.1";
        return new Response(`${version}\treadonly\t0\n${version}\tskip_unavailable_shards\t0\n`);
      }
      if (body.includes("system.columns")) {
        return new Response(tsv(...three, "schema_version\tversion\tUInt32", ...columns));
      }
      return new Response(tsv("max(version)\tcount()", "UInt32\tUInt64", "1\t1"));
    },
  );
  return { rows, [Symbol.asyncDispose]: () => server.shutdown() };
}

/** A server of another user, which listens before the service begins. */
class Server implements AsyncDisposable {
  readonly port: number;
  readonly #child: Deno.ChildProcess;

  private constructor(child: Deno.ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  static async start(): Promise<Server> {
    const program = `
      const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      console.log(listener.addr.port);
      for await (const connection of listener) connection.close();
    `;
    const child = new Deno.Command("setpriv", {
      args: ["--reuid=65534", "--regid=65534", "--clear-groups", DENO, "eval", program],
      env: { DENO_DIR: "/tmp/nobody" },
      stdout: "piped",
    }).spawn();
    return new Server(child, Number((await lineReader(child.stdout).read()).value));
  }

  async connect(times: number): Promise<void> {
    for (let time = 0; time < times; time++) {
      const connection = await Deno.connect({ hostname: "127.0.0.1", port: this.port });
      // Its end, so that there are never many at once.
      await connection.read(new Uint8Array(1));
      connection.close();
    }
  }

  /** The handshakes with it in some files. */
  handshakes(...files: string[]): Line[] {
    return linesOf(...files).filter(({ event, server }) =>
      event === "handshake" && server.port === this.port
    );
  }

  /** Waits until so many are in some files, which are looked for each time. */
  async untilRecorded(count: number, files: () => string[]): Promise<Line[]> {
    let found: Line[] = [];
    await until(`${count} handshakes are recorded`, () => {
      found = this.handshakes(...files());
      return found.length >= count;
    }, READY_MS).catch((error) => {
      throw new Error(`${error.message}: ${found.length} are\n${journal()}`);
    });
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.status;
  }
}

Deno.test("the service of the package", async (t) => {
  await using server = await Server.start();

  await t.step("nobody has enabled or started it", () => {
    assertEquals(run("systemctl", "is-active", UNIT).text, "inactive\n");
    assertEquals(run("systemctl", "is-enabled", UNIT).text, "disabled\n");
  });

  await t.step("started, it records 1000 of 1000 handshakes, from packets and kernel", async () => {
    systemctl("start", UNIT);
    await untilSaid(/kernel events come from/);
    await server.connect(HANDSHAKES);
    const found = await server.untilRecorded(HANDSHAKES, segments);
    assertEquals(found.length, HANDSHAKES);
    const complete = found.filter(({ outcome, evidence, client }) =>
      outcome === "established" && evidence.join() === "wire,kernel" &&
      client.process?.comm === "deno"
    );
    assertEquals(complete.length, HANDSHAKES);
    // Another user's, and so only with the right to look at his processes. Who listened before is looked
    // for when it first matters, for a second at most: with an emulated processor that may be too short.
    const servers = found.flatMap(({ server }) => server.process ?? []);
    assertEquals(servers.filter(({ comm, uid }) => comm !== "deno" || uid !== 65534), []);
    assertGreater(servers.length, HANDSHAKES * 0.9);
    console.error(`said:\n${journal()}`);
    for (const name of ["MemoryPeak", "TasksCurrent", "CPUUsageNSec"]) {
      console.error(`${name} ${property(name)}`);
    }
  });

  await t.step("what it keeps is its owner's and his group's", () => {
    assertEquals(segments().map((path) => (Deno.statSync(path).mode ?? 0) & 0o777), [0o640]);
  });

  await t.step(
    "restarted, it takes its configuration and goes on in a segment of its own",
    async () => {
      Deno.writeTextFileSync("/etc/synsnoop.toml", TO_STORE);
      systemctl("restart", UNIT);
      await untilSaid(/capturing packets/);
      await server.connect(FEW);
      const found = await server.untilRecorded(HANDSHAKES + FEW, segments);
      assertEquals(found.length, HANDSHAKES + FEW);
      assertEquals(property("NRestarts"), "0");
    },
  );

  await t.step("killed, it is started again", async () => {
    systemctl("kill", "--kill-whom=main", "--signal=KILL", UNIT);
    await until("it was started again", () => property("NRestarts") === "1", READY_MS);
    await untilSaid(/capturing packets/);
    await server.connect(FEW);
    const found = await server.untilRecorded(HANDSHAKES + 2 * FEW, segments);
    assertEquals(found.length, HANDSHAKES + 2 * FEW);
  });

  await t.step("stopped, it ends in good order, with its summary", () => {
    systemctl("stop", UNIT);
    assertEquals([property("Result"), property("ExecMainStatus")], ["success", "0"]);
    const said = journal();
    // Those of the last start.
    assertMatch(said, /^100 handshakes: 100 established$/m);
    assertMatch(said, /^lost: nothing/m);
    const last = linesOf(segments().at(-1)!).at(-1)!;
    assertEquals(last.event, "summary");
    assertEquals(Object.values(last.losses!).filter((count) => count > 0), []);
  });

  await t.step("shipped by a user without any right, nothing of the store is lost", async () => {
    systemctl("start", SHIP_UNIT);
    await untilSaid(/Cannot reach .*nothing is lost/, SHIP_UNIT);
    const pid = property("MainPID", SHIP_UNIT);
    const status = Deno.readTextFileSync(`/proc/${pid}/status`);
    assertNotEquals(/^Uid:\t(\d+)/m.exec(status)![1], "0");
    assertEquals(/^CapEff:\t(\S+)/m.exec(status)![1], "0000000000000000");
    await using taken = takeShipped(8123);
    const stored = linesOf(...segments());
    await until("all is shipped", () => taken.rows.length >= stored.length, READY_MS);
    await untilSaid(/shipping to \S+ again/, SHIP_UNIT);
    systemctl("stop", SHIP_UNIT);
    assertEquals(property("Result", SHIP_UNIT), "success");
    assertMatch(journal(SHIP_UNIT), /^synsnoop: shipped \d+ records .*; nothing waits$/m);
    const events = taken.rows.map((row) => JSON.parse(row).event).sort();
    assertEquals(events, stored.map(({ event }) => event).sort());
  });

  await t.step(
    "with an output instead, logrotate renames the file, and nothing is lost",
    async () => {
      Deno.writeTextFileSync("/etc/synsnoop.toml", TO_FILE);
      systemctl("start", UNIT);
      await untilSaid(/capturing packets/);
      await server.connect(FEW);
      await server.untilRecorded(FEW, () => [FILE]);
      assertEquals((Deno.statSync(FILE).mode ?? 0) & 0o777, 0o640);
      const rotated = run("logrotate", "--force", "/etc/logrotate.d/synsnoop");
      assertEquals(rotated, { status: 0, text: "" });
      await server.connect(FEW);
      const found = await server.untilRecorded(2 * FEW, () => [`${FILE}.1`, FILE]);
      assertEquals(found.length, 2 * FEW);
      assertEquals(server.handshakes(FILE).length, FEW);
      systemctl("stop", UNIT);
    },
  );
});

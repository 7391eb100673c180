// What goes wrong while a store is shipped: a sentence each, and nothing lost that a server had not taken.
import { assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { readSecretFile } from "../../src/files/secret_file.ts";
import { ClickHouseFleet, findClickHouse } from "../clickhouse_fleet.ts";
import { freePorts } from "../free_ports.ts";
import { makeDisk, makeFolder, NO_MOUNTS } from "../netns/disk.ts";
import { skippableTest, until } from "../netns/namespace.ts";
import { MadeStore, ship, ShipRun } from "./made_store.ts";
import { SpeakingRun, taskCommand } from "./speaking_run.ts";

const found = await findClickHouse();
const [reason, server] = typeof found === "string" ? [found] : [undefined, found];

/** An address at which nobody listens. */
function nobody(): string {
  return `http://127.0.0.1:${freePorts(1)[0]}`;
}

async function count(fleet: ClickHouseFleet): Promise<number> {
  return Number(
    await fleet.sql("SELECT uniqExact(time, host, client_isn) FROM synsnoop.handshakes"),
  );
}

/** Answers every request with a text, as what stands at an address by mistake. */
function stranger(text: string): { url: string } & AsyncDisposable {
  const http = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response(text),
  );
  return {
    url: `http://127.0.0.1:${http.addr.port}`,
    [Symbol.asyncDispose]: () => http.shutdown(),
  };
}

Deno.test("a server that is not there is waited for, and a signal ends that", async () => {
  using store = await MadeStore.of(100);
  await using run = new ShipRun([store.path, "--to", nobody()]);
  await run.says(/Cannot reach http:\S+: .*refused.*; nothing is lost, it is tried again/);
  const { status, said } = await run.stop();
  assertEquals(status, 0, said);
  assertMatch(said, /shipped 0 records \(0 B\); [\d.]+ kB wait$/);
});

skippableTest("a store that may only be read needs its state elsewhere", NO_MOUNTS, async () => {
  using store = await MadeStore.of(100);
  using folder = makeFolder();
  const readOnly = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"';
  const start = (...flags: string[]) =>
    new SpeakingRun([
      ...["unshare", "--mount", "sh", "-c", readOnly, store.path],
      ...taskCommand("ship", [store.path, "--to", nobody(), ...flags]),
    ]);
  await using refused = start();
  assertEquals(await refused.ended(), 1);
  assertMatch(
    refused.said.join("\n"),
    /^synsnoop: Cannot write the state ".*\.shipped\.json": Read-only file system .*; give --state FILE in a folder that this user may write$/,
  );
  await using run = start("--state", `${folder.path}/state`);
  await run.says(/Cannot reach http:\S+: .*refused.*; nothing is lost, it is tried again/);
  run.child.kill("SIGTERM");
  assertEquals(await run.ended(), 0);
  assertMatch(run.said.join("\n"), /shipped 0 records \(0 B\); [\d.]+ kB wait$/);
});

Deno.test("what answers and is no server that is known is told in a sentence", async () => {
  using store = await MadeStore.of(10);
  for (
    const [answer, says] of [
      ["<html>", /What answers at \S+ is no ClickHouse$/],
      [
        "1.1.54390\treadonly\t0\n1.1.54390\tskip_unavailable_shards\t0\n",
        /ClickHouse at \S+ is 1\.1\.54390: synsnoop needs 18\.16 or later$/,
      ],
    ] as const
  ) {
    await using other = stranger(answer);
    using folder = makeFolder();
    for (const more of [["--once", "--state", `${folder.path}/state`], ["--apply"]]) {
      const { status, said } = await ship([store.path, "--to", other.url, ...more]);
      assertEquals(status, 1, said);
      assertMatch(said, says);
    }
  }
});

Deno.test("a password is the first line of a file, and no other is taken for one", () => {
  using folder = makeFolder();
  const path = `${folder.path}/password`;
  const write = (text: string | Uint8Array<ArrayBuffer>, mode = 0o600) => {
    if (typeof text === "string") Deno.writeTextFileSync(path, text);
    else Deno.writeFileSync(path, text);
    Deno.chmodSync(path, mode);
  };
  write("hunter2\n");
  assertEquals(readSecretFile(path), { secret: "hunter2", isPublic: false });
  write(" with blanks ", 0o644);
  assertEquals(readSecretFile(path), { secret: " with blanks ", isPublic: true });
  for (
    const [text, says] of [
      ["", "it is empty"],
      ["\n", "it is empty"],
      ["one\ntwo\n", "it has more than one line"],
      ["x".repeat(4_097), "it has more than 4096 bytes"],
      [Uint8Array.of(0xff), "it is no UTF-8"],
    ] as const
  ) {
    write(text);
    assertThrows(() => readSecretFile(path), Error, says);
  }
  assertThrows(() => readSecretFile(`${path}.none`), Error, "there is no such file");
});

skippableTest(
  "users, versions and tables that do not fit are told, and nothing is changed",
  reason,
  async (t) => {
    await using fleet = await ClickHouseFleet.start(server!, {
      servers: 1,
      users: "<shipper><password>hunter2</password><networks><ip>127.0.0.1</ip></networks>" +
        "<profile>default</profile><quota>default</quota></shipper>",
    });
    using store = await MadeStore.of(100);
    using folder = makeFolder();
    const { length } = store.lines();
    const args = [store.path, "--to", fleet.url(), "--once", "--state", `${folder.path}/state`];

    await t.step("a user with a wrong password, and with the right one", async () => {
      const as = [...args, "--apply", "--clickhouse-user", "shipper"];
      const wrong = await ship(as, { SYNSNOOP_CLICKHOUSE_PASSWORD: "wrong" });
      assertEquals(wrong.status, 1);
      assertMatch(wrong.said, /ClickHouse at \S+ refuses this user and password/);
      assertEquals(
        await fleet.sql("SELECT count() FROM system.databases WHERE name = 'synsnoop'"),
        "0",
      );
      Deno.writeTextFileSync(`${folder.path}/password`, "hunter2\n", { mode: 0o600 });
      const right = await ship([...as, "--password-file", `${folder.path}/password`]);
      assertEquals(right.status, 0, right.said);
      const again = await ship(args, {
        SYNSNOOP_CLICKHOUSE_USER: "shipper",
        SYNSNOOP_CLICKHOUSE_PASSWORD: "hunter2",
      });
      assertEquals(again.status, 0, again.said);
      assertEquals(await count(fleet), length);
    });

    /** Tells what shipping and applying say of what is there; both change nothing. */
    const refused = async () => {
      const shown = async () =>
        await fleet.sql(
          "SELECT database, name, create_table_query FROM system.tables ORDER BY 1, 2",
        ) +
        await fleet.sql("SELECT max(version) FROM synsnoop.schema_version");
      const before = await shown();
      const said: string[] = [];
      for (const more of [[], ["--apply"]]) {
        const run = await ship([...args, ...more]);
        assertEquals(run.status, 1, run.said);
        said.push(run.said);
      }
      assertEquals(await shown(), before);
      assertEquals(said[0], said[1]);
      return said[0];
    };

    await t.step("a column of another type", async () => {
      await fleet.sql("ALTER TABLE synsnoop.handshakes MODIFY COLUMN drop_count Nullable(String)");
      assertMatch(
        await refused(),
        /has a table "handshakes" of another version: its column drop_count is Nullable\(String\), not Nullable\(UInt32\); give another --database; nothing was changed$/,
      );
    });

    await t.step("tables of a later version", async () => {
      await fleet.sql("INSERT INTO synsnoop.schema_version VALUES (2)");
      assertMatch(
        await refused(),
        /has tables of version 2, and this synsnoop knows version 1: take a later synsnoop; nothing was changed$/,
      );
    });

    await t.step("a table that synsnoop did not make", async () => {
      await fleet.sql("DROP DATABASE synsnoop");
      await fleet.sql("CREATE DATABASE synsnoop");
      await fleet.sql("CREATE TABLE synsnoop.status (id UInt8) ENGINE = TinyLog");
      const run = await ship([...args, "--apply"]);
      assertEquals(run.status, 1);
      assertStringIncludes(run.said, 'has a table "status" that synsnoop did not make');
      assertEquals(await fleet.sql("SHOW TABLES FROM synsnoop"), "status");
    });
  },
);

skippableTest(
  "what a store has that is no record is told, and all else is shipped",
  reason,
  async () => {
    await using fleet = await ClickHouseFleet.start(server!, { servers: 1 });
    using store = await MadeStore.of(200);
    const lines = store.lines();
    store.write(
      "2026-11-23T09.web1.4711-1",
      `{"torn\n\n[]\n{"v":1,"event":"pair"}\n${"x".repeat(1_100_000)}\n${lines[0]}\n`,
    );
    const damaged = `${store.path}/2026-11-23T10.web1.4711-1.ndjson.zst`;
    Deno.writeFileSync(
      damaged,
      Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8),
    );
    Deno.symlinkSync("nothing", `${store.path}/2026-11-23T08.web1.4711-1.ndjson`);
    const { status, said } = await ship([store.path, "--to", fleet.url(), "--apply", "--once"]);
    assertEquals(status, 1, said);
    assertMatch(said, /Cannot read ".*T08/);
    assertMatch(said, /Cannot read ".*T10\..*": its compressed data is broken/);
    assertMatch(said, /left out: 3 lines, torn or no records/);
    assertMatch(said, /left out: 1 line of other kinds/);
    assertEquals(await count(fleet), lines.length);
  },
);

skippableTest(
  "what was removed before it was shipped is told, record by record",
  reason,
  async () => {
    await using fleet = await ClickHouseFleet.start(server!, { servers: 1 });
    using store = await MadeStore.of(200);
    const lines = store.lines().slice(0, 100);
    for (const { name } of Deno.readDirSync(store.path)) Deno.removeSync(`${store.path}/${name}`);
    // A tracer says with each status line how many records it had written before.
    const start = Date.parse("2026-11-23T01:00:00Z");
    const hour = (at: number) => `2026-11-23T0${at}.web1.4711-${start}`;
    const status = (written: number) =>
      JSON.stringify({
        ...{ v: 1, event: "status", time: "2026-11-23T01:02:03.000000000Z", host: "web1" },
        written,
      });
    const text = (from: number, to: number) =>
      [...lines.slice(from, to), status(to)].join("\n") + "\n";
    const args = [store.path, "--to", fleet.url(), "--interval", "100ms"];
    store.write(hour(1), text(0, 20));
    assertEquals((await ship([...args, "--apply", "--once"])).status, 0);
    await fleet.stopServer(0);
    await using run = new ShipRun(args);
    await run.says(/tried again/);
    const removed = store.write(hour(2), text(20, 55));
    const { size } = Deno.statSync(removed);
    await until("it was seen", async () => {
      run.child.kill("SIGUSR1");
      await run.says(/wait/);
      return run.said.some((line) => line.includes(`${(size / 1e3).toFixed(1)} kB wait`));
    });
    Deno.removeSync(removed);
    store.write(hour(3), text(55, 100));
    await run.says(
      /T02\S+ was removed before all of it was shipped: [\d.]+ kB of it are lost/,
    );
    await fleet.startServer(0);
    await until("the others are there", async () => await count(fleet) === 65);
    // That it goes when it was shipped is no loss.
    Deno.removeSync(`${store.path}/${hour(1)}.ndjson`);
    const rest = store.write(hour(4), status(100) + "\n");
    await until(
      "it looked again",
      async () => (await fleet.sql("SELECT count() FROM synsnoop.status")) >= "3",
    );
    Deno.removeSync(rest);
    const { status: code, said } = await run.stop();
    assertEquals(code, 0, said);
    assertEquals(/T01.*removed|T04.*lost/.exec(said), null, said);
    assertMatch(said, /lost: 35 records that were removed from the store before they were shipped/);
  },
);

skippableTest("a full server is waited for, and nothing is lost", reason ?? NO_MOUNTS, async () => {
  using disk = makeDisk("size=24m");
  const before = Deno.env.get("TMPDIR");
  Deno.env.set("TMPDIR", disk.path);
  const fleet = await ClickHouseFleet.start(server!, { servers: 1 });
  if (before === undefined) Deno.env.delete("TMPDIR");
  else Deno.env.set("TMPDIR", before);
  await using _fleet = fleet;
  using store = await MadeStore.of(2_000);
  const args = [store.path, "--to", fleet.url(), "--interval", "100ms"];
  await ship(["--apply", "--to", fleet.url()]);
  const ballast = `${disk.path}/ballast`;
  const fill = new Deno.Command("dd", {
    args: ["if=/dev/zero", `of=${ballast}`, "bs=1k"],
    stderr: "null",
  });
  await fill.output();
  await using run = new ShipRun(args);
  await run.says(/can write nothing now: .*nothing is lost, it is tried again/);
  Deno.removeSync(ballast);
  await run.says(/shipping to \S+ again/);
  const { length } = store.lines();
  await until("all is there", async () => await count(fleet) === length);
  assertEquals((await run.stop()).status, 0);
});

// What stands between a store and its server, and what becomes of both: proxies, slow and silent servers,
// full disks, a second shipper, a user who loses patience.
// Covers src/store/ship/shipper.ts
// Covers src/store/ship/state_file.ts
import { assert, assertEquals, assertGreaterOrEqual, assertMatch } from "@std/assert";
import { ClickHouseFleet, findClickHouse } from "../clickhouse_fleet.ts";
import { makeDisk, makeFolder, NO_MOUNTS } from "../netns/disk.ts";
import { skippableTest, until } from "../netns/namespace.ts";
import { MadeStore, ship, ShipRun } from "./made_store.ts";

const found = await findClickHouse();
const [reason, server] = typeof found === "string" ? [found] : [undefined, found];

/** What a proxy does with an insert; undefined: it passes it on. */
type Answer = (request: Request) => Response | Promise<Response> | undefined;

/** A proxy before a server. Questions always pass, compressed. */
class Proxy implements AsyncDisposable {
  answer: Answer = () => undefined;
  /** When each insert came, milliseconds. */
  readonly insertsMs: number[] = [];
  readonly url: string;
  readonly #http: Deno.HttpServer<Deno.NetAddr>;

  constructor(target: string, hostname = "127.0.0.1") {
    this.#http = Deno.serve({ hostname, port: 0, onListen: () => {} }, async (request) => {
      const { pathname, search } = new URL(request.url);
      if (search.includes("INSERT")) {
        this.insertsMs.push(performance.now());
        const answer = this.answer(request);
        if (answer !== undefined) return answer;
      }
      const { status, body } = await fetch(`${target}${pathname}${search}`, {
        method: request.method,
        headers: request.headers,
        body: await request.bytes(),
      });
      const packed = body?.pipeThrough(new CompressionStream("gzip"));
      return new Response(packed, { status, headers: { "content-encoding": "gzip" } });
    });
    const { port } = this.#http.addr;
    this.url = `http://${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#http.shutdown();
  }
}

async function count(fleet: ClickHouseFleet): Promise<number> {
  return Number(
    await fleet.sql("SELECT uniqExact(time, host, client_isn) FROM synsnoop.handshakes"),
  );
}

skippableTest("what stands before a server is told from it", reason, async (t) => {
  await using fleet = await ClickHouseFleet.start(server!, { servers: 1 });
  using store = await MadeStore.of(300);
  const { length } = store.lines();
  assertEquals((await ship(["--apply", "--to", fleet.url()])).status, 0);
  await using proxy = new Proxy(fleet.url(), "::1");
  const args = [store.path, "--to", proxy.url, "--interval", "100ms"];

  await t.step("503 with Retry-After: it waits as long as it is asked to", async () => {
    await using run = new ShipRun(args);
    const answer = new Response("<html>", { status: 503, headers: { "retry-after": "2" } });
    proxy.answer = () => proxy.insertsMs.length === 1 ? answer : undefined;
    await run.says(
      /http:\/\/\[::1\]:\d+ takes nothing now: it answers 503 Service Unavailable; nothing is lost, it is tried again/,
    );
    await run.says(/shipping to \S+ again/);
    const [first, second] = proxy.insertsMs;
    assertGreaterOrEqual(second - first, 1_990);
    await until("all is there", async () => await count(fleet) === length);
    const { status, said } = await run.stop();
    assertEquals(status, 0, said);
    assertMatch(said, /; nothing waits$/);
  });

  await t.step("a body that is too large for it is told with what to do", async () => {
    Deno.removeSync(`${store.path}/.shipped.json`);
    proxy.answer = () => new Response("<html>", { status: 413 });
    const { status, said } = await ship([...args, "--once"]);
    assertEquals(status, 1, said);
    assertMatch(said, /takes no body of that size: it answers 413 .*; give a smaller --batch-size/);
  });

  await t.step("one that is slow: what waits is told, and a second Ctrl-C ends it", async () => {
    const held = Promise.withResolvers<Response>();
    proxy.answer = () => held.promise;
    const before = proxy.insertsMs.length;
    await using run = new ShipRun(args);
    await until("it sends", () => proxy.insertsMs.length > before);
    run.child.kill("SIGUSR1");
    await run.says(/shipped 0 records \(0 B\); about \d+ records, [\d.]+ kB wait/);
    run.child.kill("SIGINT");
    await run.says(/once more|again/);
    run.child.kill("SIGINT");
    const { status, said } = await run.end();
    held.resolve(new Response());
    assertEquals(status, 130, said);
  });

  await t.step("a Ctrl-C during a send lets it be taken, and says so", async () => {
    const held = Promise.withResolvers<void>();
    const { length: before } = proxy.insertsMs;
    // The server has it when the proxy has: only the answer comes late.
    proxy.answer = (request) => {
      const { pathname, search } = new URL(request.url);
      return (async () => {
        const body = await request.bytes();
        const answer = await fetch(`${fleet.url()}${pathname}${search}`, { method: "POST", body });
        await held.promise;
        return new Response(await answer.bytes());
      })();
    };
    await using run = new ShipRun([...args, "--batch-rows", "1000000"]);
    await until("it sends", () => proxy.insertsMs.length > before);
    run.child.kill("SIGINT");
    await until("the signal is heard", () => run.said.length > 0);
    held.resolve();
    const { status, said } = await run.end();
    assertEquals(status, 0, said);
    assertMatch(said, new RegExp(`shipped \\d+ records .*; nothing waits$`));
    proxy.answer = () => undefined;
    assertMatch((await ship([...args, "--once"])).said, /shipped 0 records/);
    assertEquals(await count(fleet), length);
  });
});

skippableTest(
  "a second shipper with the same state is told, and changes nothing",
  reason,
  async () => {
    await using fleet = await ClickHouseFleet.start(server!, { servers: 1 });
    using store = await MadeStore.of(50);
    const args = [store.path, "--to", fleet.url(), "--apply"];
    await using run = new ShipRun(args);
    const { length } = store.lines();
    await until("all is there", async () => {
      if (!run.said.some((line) => /made the tables/.test(line))) return false;
      return await count(fleet) === length;
    });
    const second = await ship([...args, "--once"]);
    assertEquals(second.status, 1, second.said);
    assertMatch(
      second.said,
      /Another synsnoop ship goes by the state ".*": end it, or give another --state$/,
    );
    assertEquals((await run.stop()).status, 0);
    // The lock is gone with who had it, also where that was killed.
    assertEquals((await ship([...args, "--once"])).status, 0);
  },
);

skippableTest(
  "a disk that is full under the state loses nothing",
  reason ?? NO_MOUNTS,
  async () => {
    await using fleet = await ClickHouseFleet.start(server!, { servers: 1 });
    using store = await MadeStore.of(400);
    using disk = makeDisk("size=64k");
    const lines = store.lines();
    const state = `${disk.path}/state`;
    const args = [
      store.path,
      "--to",
      fleet.url(),
      "--state",
      state,
      "--interval",
      "100ms",
      "--apply",
    ];
    await using run = new ShipRun(args);
    await until("all is there", async () => {
      if (!run.said.some((line) => /made the tables/.test(line))) return false;
      return await count(fleet) === lines.length;
    });
    const fill = new Deno.Command("dd", {
      args: ["if=/dev/zero", `of=${disk.path}/ballast`, "bs=1k"],
      stderr: "null",
    });
    await fill.output();
    const before = Deno.readTextFileSync(state);
    store.write("2026-11-23T09.web1.4711-1", lines[0] + "\n");
    await run.says(/Cannot write the state .*No space left on device.*; it is tried again/);
    assertEquals(Deno.readTextFileSync(state), before);
    Deno.removeSync(`${disk.path}/ballast`);
    store.write("2026-11-23T10.web1.4711-1", lines[1] + "\n");
    await until("it is written again", () => Deno.readTextFileSync(state) !== before);
    assertEquals((await run.stop()).status, 0);
  },
);

skippableTest("a store that vanishes, or may only be read, is told", reason, async () => {
  await using fleet = await ClickHouseFleet.start(server!, { servers: 1 });
  using store = await MadeStore.of(50);
  using folder = makeFolder();
  const moved = `${folder.path}/moved`;
  const args = [store.path, "--to", fleet.url(), "--interval", "100ms", "--apply"];
  await using run = new ShipRun([...args, "--state", `${folder.path}/state`]);
  const { length } = store.lines();
  await until("all is there", async () => {
    if (!run.said.some((line) => /made the tables/.test(line))) return false;
    return await count(fleet) === length;
  });
  Deno.renameSync(store.path, moved);
  const { status, said } = await run.end();
  Deno.renameSync(moved, store.path);
  assertEquals(status, 1, said);
  assertMatch(said, /Cannot read the store ".*": there is no such folder$/);
  assert(/shipped \d+ records/.test(said), said);
});

Deno.test("what opens a server is in no argument, and in nothing that is said", async () => {
  using store = await MadeStore.of(10);
  const refused = await ship([store.path, "--to", "http://shipper:hunter2@127.0.0.1:1"]);
  assertEquals(refused.status, 2);
  assertMatch(refused.said, /Cannot use --to with a user or password in it/);
  const env = { SYNSNOOP_CLICKHOUSE_USER: "shipper", SYNSNOOP_CLICKHOUSE_PASSWORD: "hunter2" };
  await using run = new ShipRun([store.path, "--to", "http://127.0.0.1:1"], env);
  await run.says(/tried again/);
  run.child.kill("SIGUSR1");
  await run.says(/shipped 0/);
  const { said } = await run.stop();
  for (const text of [refused.said, said, Deno.readTextFileSync(`${store.path}/.shipped.json`)]) {
    assertEquals(/hunter2/.exec(text), null);
  }
});

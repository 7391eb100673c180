import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  type Connection,
  type Listener,
  type PageContent,
  PageServer,
  type PageServerLimits,
  USUAL_LIMITS,
} from "../../../src/http/page_server.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The end of a connection that a test holds: what it sends comes in the pieces in which it is sent. */
class TestConnection implements Connection {
  readonly #sent: Uint8Array[] = [];
  #onSent = () => {};
  received = "";
  isClosed = false;
  /** Bytes that it takes before it takes none any more. */
  takesMax = Infinity;
  readonly closed: Promise<void>;
  #onClosed = () => {};
  #hasEnded = false;

  constructor() {
    this.closed = new Promise((resolve) => this.#onClosed = resolve);
  }

  send(text: string): void {
    this.#sent.push(encoder.encode(text));
    this.#onSent();
  }

  end(): void {
    this.#hasEnded = true;
    this.#onSent();
  }

  async read(into: Uint8Array): Promise<number | null> {
    while (this.#sent.length === 0 && !this.isClosed && !this.#hasEnded) {
      await new Promise<void>((resolve) => this.#onSent = resolve);
    }
    if (this.isClosed) throw new Error("closed");
    const piece = this.#sent.shift();
    if (piece === undefined) return null;
    const part = piece.subarray(0, into.length);
    if (part.length < piece.length) this.#sent.unshift(piece.subarray(part.length));
    into.set(part);
    return part.length;
  }

  async write(bytes: Uint8Array): Promise<number> {
    if (this.received.length >= this.takesMax) {
      await this.closed;
      throw new Error("closed");
    }
    const part = bytes.subarray(0, 1_000);
    this.received += decoder.decode(part);
    return part.length;
  }

  close(): void {
    this.isClosed = true;
    this.#onSent();
    this.#onClosed();
  }
}

/** A server with a page, and connections to it. */
class Site implements Listener {
  readonly where = "a test";
  isLoopback = false;
  readonly notes: string[] = [];
  readonly server: PageServer;
  #waiting: ((connection: Connection | undefined) => void) | undefined;
  readonly #coming: Connection[] = [];
  failures: Error[] = [];

  constructor(
    limits: Partial<PageServerLimits> = {},
    page: () => PageContent = () => ({
      status: 200,
      contentType: "text/x",
      body: encoder.encode("page"),
    }),
  ) {
    this.server = new PageServer(
      this,
      { "/metrics": page },
      (sentence) => this.notes.push(sentence),
      { ...USUAL_LIMITS, ...limits },
    );
  }

  async accept(): Promise<Connection | undefined> {
    const failure = this.failures.shift();
    if (failure !== undefined) throw failure;
    return this.#coming.shift() ?? await new Promise((resolve) => this.#waiting = resolve);
  }

  close(): void {
    this.#waiting?.(undefined);
  }

  connect(): TestConnection {
    const connection = new TestConnection();
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting === undefined) this.#coming.push(connection);
    else waiting(connection);
    return connection;
  }

  /** Sends a request and waits for the end of the answer. */
  async ask(text: string): Promise<string> {
    const connection = this.connect();
    connection.send(text);
    await connection.closed;
    return connection.received;
  }
}

function request(path = "/metrics", method = "GET", host = "a"): string {
  return `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
}

Deno.test("PageServer answers with its page, and closes the connection", async () => {
  const site = new Site();
  assertEquals(
    await site.ask(request()),
    "HTTP/1.1 200 OK\r\nContent-Type: text/x\r\nContent-Length: 4\r\nConnection: close\r\n\r\npage",
  );
  assertEquals(site.server.connections, 0);
  site.server.close();
});

Deno.test("PageServer answers HEAD as GET, without the page (RFC 9110 section 9.3.2)", async () => {
  const site = new Site();
  const page = await site.ask(request());
  assertEquals(await site.ask(request("/metrics", "HEAD")), page.slice(0, -"page".length));
  const nowhere = await site.ask(request("/x", "HEAD"));
  assertMatch(nowhere, /^HTTP\/1\.1 404 [^]*\r\n\r\n$/);
  site.server.close();
});

Deno.test("PageServer answers one request, whatever another is hidden in", async () => {
  const site = new Site();
  const hidden = request("/metrics", "GET");
  const answer = await site.ask(
    "GET /metrics HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" +
      hidden,
  );
  assertEquals(answer.split("HTTP/1.1").length - 1, 1);
  site.server.close();
});

for (
  const [what, text, status] of [
    ["another path", request("/"), 404],
    ["a path below it", request("/metrics/x"), 404],
    ["another method", request("/metrics", "POST"), 405],
    // RFC 9110 section 2.5: it is no request of HTTP/1, and is not answered as HTTP/0.9.
    ["a request without a version", "GET /metrics\r\n\r\n", 400],
    ["a path that is climbed", request("/metrics/../../etc/passwd"), 404],
    ["a name of every object", request("/__proto__"), 404],
    ["a continued header", "GET /metrics HTTP/1.1\r\nA: b\r\n c\r\n\r\n", 400],
    ["no request", "hello\r\n\r\n", 400],
    ["a head without an end", `GET / HTTP/1.1\r\nA: ${"a".repeat(9_000)}`, 431],
  ] as const
) {
  Deno.test(`PageServer refuses ${what} with ${status}`, async () => {
    const site = new Site();
    const answer = await site.ask(text);
    assert(answer.startsWith(`HTTP/1.1 ${status} `), answer);
    assertEquals(/^Allow: GET, HEAD$/m.test(answer.replaceAll("\r", "")), status === 405);
    site.server.close();
  });
}

Deno.test("PageServer answers 503 and when to come again above its rate", async () => {
  const site = new Site({ answersPerSecond: 3, connectionsPerSecond: 10_000 });
  const statuses: string[] = [];
  for (let nth = 0; nth < 10; nth++) statuses.push((await site.ask(request())).slice(9, 12));
  assertEquals(statuses.slice(0, 4), ["200", "200", "200", "503"]);
  assertMatch(await site.ask(request()), /^HTTP\/1\.1 503 .*\r\n(?:.*\r\n)*Retry-After: 1\r\n/);
  // What is not there is not counted.
  assert((await site.ask(request("/x"))).startsWith("HTTP/1.1 404"));
  site.server.close();
});

Deno.test("PageServer waits for a request for so long and no longer", async () => {
  const site = new Site({ requestMs: 30 });
  const silent = site.connect();
  const slow = site.connect();
  slow.send("GET /met");
  await Promise.all([silent.closed, slow.closed]);
  assertEquals([silent.received, slow.received, site.server.connections], ["", "", 0]);
  site.server.close();
});

Deno.test("PageServer waits for who reads for so long and no longer", async () => {
  const body = encoder.encode("x".repeat(100_000));
  const site = new Site({ answerMs: 30 }, () => ({ status: 200, contentType: "text/x", body }));
  const stuck = site.connect();
  stuck.takesMax = 5_000;
  stuck.send(request());
  await stuck.closed;
  assert(stuck.received.length < 10_000);
  assertEquals((await site.ask(request())).length > 100_000, true);
  site.server.close();
});

Deno.test("PageServer gives the place of the oldest connection to the next one", async () => {
  const site = new Site({ connectionsMax: 3, placeMs: 0, connectionsPerSecond: 10_000 });
  const silent = [site.connect(), site.connect(), site.connect(), site.connect()];
  assert((await site.ask(request())).includes("page"));
  assertEquals(silent.map(({ isClosed }) => isClosed), [true, true, false, false]);
  site.server.close();
  assertEquals(silent.map(({ isClosed }) => isClosed), [true, true, true, true]);
});

Deno.test("PageServer lets a connection that is new keep its place until it is answered", async () => {
  const site = new Site({ connectionsMax: 3, placeMs: 60_000, connectionsPerSecond: 10_000 });
  const first = [site.connect(), site.connect(), site.connect()];
  const waiting = Array.from({ length: 20 }, () => site.ask(request()));
  for (const connection of first) connection.send(request());
  const answers = await Promise.all(waiting);
  assert(answers.every((answer) => answer.startsWith("HTTP/1.1 ")));
  assert(first.every(({ received }) => received.endsWith("page")));
  site.server.close();
});

Deno.test("PageServer forgets who ends before the request does", async () => {
  const site = new Site();
  const connection = site.connect();
  connection.send("GET /metrics HT");
  connection.end();
  await connection.closed;
  assertEquals(connection.received, "");
  site.server.close();
});

Deno.test("PageServer says that a page cannot be made, and goes on", async () => {
  let isBroken = true;
  const site = new Site({}, () => {
    if (isBroken) throw new Error("out of luck");
    return { status: 200, contentType: "text/x", body: encoder.encode("page") };
  });
  assert((await site.ask(request())).startsWith("HTTP/1.1 500"));
  assertEquals(site.notes, ["Cannot make the page /metrics: out of luck"]);
  isBroken = false;
  assert((await site.ask(request())).startsWith("HTTP/1.1 200"));
  site.server.close();
});

Deno.test("PageServer at a loopback address answers no name that a stranger can have", async () => {
  const site = new Site();
  const ask = async (host: string) =>
    (await site.ask(request("/metrics", "GET", host))).split("\r\n");
  const [status] = await ask("rebind.example:9464");
  assertEquals(status, "HTTP/1.1 200 OK");
  site.isLoopback = true;
  const refused = await ask("rebind.example:9464");
  assertEquals(refused[0], "HTTP/1.1 421 Misdirected Request");
  assertEquals(
    refused.at(-1),
    "ask for localhost or for the address itself: no other name is answered here\n",
  );
  assertEquals((await ask("127.0.0.1:9464"))[0], "HTTP/1.1 200 OK");
  site.server.close();
});

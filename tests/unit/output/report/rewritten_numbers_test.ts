import { assert, assertEquals } from "@std/assert";
import { RewrittenNumbers } from "../../../../src/output/report/rewritten_numbers.ts";
import { makeHandshake } from "../../record/sample_handshakes.ts";

const WEB = { key: "web1-id", name: "web1" };
const DB = { key: "db1-id", name: "db\x1b1" };

type Parts = { isn?: number; port?: number; outcome?: "established" | "refused"; second?: number };

function told(role: "client" | "server" | "observer", parts: Parts = {}) {
  const { isn, port = 40_000, outcome = "established", second = 0 } = parts;
  return makeHandshake({
    role,
    outcome,
    epochSeconds: 1_700_000_000 + second,
    client: { address: "10.0.0.1", port, isn },
    server: { address: "10.0.0.2", port: 5432, isn: 1 },
  });
}

/** What is said of a client's end of web1 and a server's end of db1. */
function saidOf(client: Parts, server: Parts, server_host = DB) {
  const numbers = new RewrittenNumbers();
  numbers.take(told("client", client), WEB);
  numbers.take(told("server", server), server_host);
  return numbers.describe();
}

Deno.test("RewrittenNumbers tells of two hosts whose ends differ in the client's number alone", () => {
  assertEquals(saidOf({ isn: 5 }, { isn: 6 }), [
    "web1 and db\\u{1b}1 tell different initial sequence numbers of the same handshakes: a firewall or " +
    "proxy on the way rewrites them, so each end counts as a handshake of its own.",
  ]);
});

const OTHERS: Record<string, [client: Parts, server: Parts, serverHost?: typeof DB]> = {
  "between other ports": [{ isn: 5 }, { isn: 6, port: 40_001 }],
  "at another time": [{ isn: 5 }, { isn: 6, second: 121 }],
  "that ended in ways that no handshake can": [{ isn: 5, outcome: "refused" }, { isn: 6 }],
  "of one host": [{ isn: 5 }, { isn: 6 }, WEB],
  "of which a number is not known": [{}, { isn: 6 }],
  "of one number": [{ isn: 6 }, { isn: 6 }],
};

for (const [name, ends] of Object.entries(OTHERS)) {
  Deno.test(`RewrittenNumbers says nothing of ends ${name}`, () => {
    assertEquals(saidOf(...ends), []);
  });
}

Deno.test("RewrittenNumbers says nothing of hosts of which any two ends fit", () => {
  for (const [first, again] of [["client", "server"], ["server", "client"]] as const) {
    const numbers = new RewrittenNumbers();
    numbers.take(told("client", { isn: 5 }), WEB);
    numbers.take(told("server", { isn: 6 }), DB);
    assertEquals(numbers.describe().length, 1);
    const [one, other] = first === "client" ? [WEB, DB] : [DB, WEB];
    numbers.take(told(first, { isn: 7, port: 40_001 }), one);
    numbers.takeAgain(told("observer", { isn: 7, port: 40_001 }), other);
    assertEquals(numbers.describe().length, 1);
    numbers.takeAgain(told(again, { isn: 7, port: 40_001 }), other);
    assertEquals(numbers.describe(), []);
  }
});

Deno.test("RewrittenNumbers finds some of very many", () => {
  const numbers = new RewrittenNumbers();
  const ports = Array.from({ length: 20_000 }, (_, at) => 10_000 + at);
  for (const port of ports) numbers.take(told("client", { isn: 5, port }), WEB);
  for (const port of ports) numbers.take(told("server", { isn: 6, port }), DB);
  assert(numbers.describe().length === 1);
});

import { assertEquals } from "@std/assert";
import { WatchedHosts } from "../../../src/pipeline/watched_hosts.ts";

const STATUS = {
  ...{ host: "db1", host_id: "d", tracer: "1-1", filters: [], sample: 1 },
  since: "2026-11-23T01:00:00.000000000Z",
  time: "2026-11-23T01:01:00.000000000Z",
  sources: { wire: [{ interface: "eth0", up: true }], kernel: "fentry" },
};
const BEGIN_NS = BigInt(Date.parse("2026-11-23T01:00:00Z")) * 1_000_000n;
const S = 1_000_000_000n;

Deno.test("WatchedHosts knows from when to when a host was watching, give or take five seconds", () => {
  const watched = new WatchedHosts();
  watched.take("status", STATUS);
  watched.take("status", { ...STATUS, time: "2026-11-23T01:02:00.000000000Z" });
  const at = (seconds: bigint) => watched.isWatched("d", BEGIN_NS + seconds * S);
  assertEquals([4n, 5n, 115n, 116n].map(at), [false, true, true, false]);
  assertEquals(watched.isWatched("other", BEGIN_NS + 60n * S), false);
});

Deno.test("WatchedHosts takes no word of who saw a part, or of what is no status line", () => {
  for (
    const [event, part] of [
      ["summary", {}],
      ["status", { filters: ["--port 80"] }],
      ["status", { sample: 10 }],
      ["status", { sources: { wire: [] } }],
      ["status", { sources: 7 }],
      ["status", { since: "yesterday" }],
      ["status", { filters: undefined }],
    ] as const
  ) {
    const watched = new WatchedHosts();
    watched.take(event, { ...STATUS, ...part });
    assertEquals(watched.isWatched("d", BEGIN_NS + 30n * S), false, JSON.stringify(part));
  }
});

import { assertEquals } from "@std/assert";
import { Matcher } from "../../../src/match/matcher.ts";
import { ROWS_USUAL } from "../../../src/match/options.ts";
import { Segment, TcpFlag } from "../../../src/wire/segment.ts";
import { end } from "./traffic.ts";

const CLIENT = end("192.0.2.1", 50000);
const SERVER = end("198.51.100.2", 443);

/** How many half-open handshakes a matcher gave up after so many SYNs, each of another client. */
function evictedAfter(syns: number, capacity?: number): number {
  const matcher = new Matcher(0, () => {}, { capacity });
  const segment = new Segment();
  segment.source.set(CLIENT.address);
  segment.destination.set(SERVER.address);
  segment.destinationPort = SERVER.port;
  segment.flags = TcpFlag.SYN;
  for (let number = 0; number < syns; number++) {
    segment.source[3] = number;
    segment.sourcePort = CLIENT.port;
    segment.sequence = number;
    matcher.packet(segment, number, 1);
  }
  return matcher.counters.evicted;
}

Deno.test("ROWS_USUAL is how many handshakes a Matcher has under way, unless told otherwise", () => {
  assertEquals(evictedAfter(ROWS_USUAL), 0);
  assertEquals(evictedAfter(ROWS_USUAL + 3), 3);
  assertEquals(evictedAfter(12, 10), 2);
});

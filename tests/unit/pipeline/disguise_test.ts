import { assertEquals } from "@std/assert";
import type { Disguise } from "../../../src/pipeline/disguise.ts";
import { Pipeline } from "../../../src/pipeline/pipeline.ts";
import { NO_ROW, type Sink, type Source } from "../../../src/pipeline/sink.ts";
import { makeHandshake } from "../record/sample_handshakes.ts";
import { sourceOf } from "./stand_ins.ts";

const REAL = sourceOf({ host: "web1", interfaceName: () => undefined });
const SHOWN = sourceOf({ host: "a host", interfaceName: () => undefined }, {
  losses: { ring_packets: 1 },
});
const DISGUISE: Disguise = {
  source: (source) => source === REAL ? SHOWN : source,
  handshake: (handshake) => ({ ...handshake, reason: "hidden" }),
  event: (event, members) => event === "status" ? { ...members, host: "a host" } : undefined,
  identity: (identity) => identity,
};

Deno.test("Pipeline shows its sinks what the disguise makes, and filters what is", async () => {
  const seen: unknown[] = [];
  const sink: Sink = {
    label: "notes",
    begin: (source: Source) => seen.push(source.context.host),
    take: ({ reason }) => seen.push(reason),
    takeAgain: ({ reason }) => seen.push("again", reason),
    takeEvent: (event, { host }) => seen.push(event, host),
    flush: () => {},
    end: ({ context, losses }) => seen.push(context.host, losses.ring_packets),
  };
  const filter = { reasons: ["ECONNREFUSED"], tracedOn: ["web1"] };
  const pipeline = new Pipeline({ sinks: [sink], disguise: DISGUISE, filter });
  pipeline.begin(REAL);
  const ends = { client: { address: "10.0.0.1" }, server: { address: "10.0.0.2" } };
  const handshake = makeHandshake({ ...ends, reason: "ECONNREFUSED" });
  pipeline.take(handshake, NO_ROW);
  pipeline.take(makeHandshake({ ...ends, reason: "hidden" }), NO_ROW);
  pipeline.takeAgain(handshake);
  pipeline.takeEvent("status", { host: "web1" });
  pipeline.takeEvent("other", { host: "web1" });
  await pipeline.end();
  const status = ["status", "a host"];
  assertEquals(seen, ["a host", "hidden", "again", "hidden", ...status, "a host", 1]);
  assertEquals([pipeline.handshakes, handshake.reason], [1, "ECONNREFUSED"]);
});

import { assert, assertEquals } from "@std/assert";
import { CONTEXT } from "../../record/sample_handshakes.ts";
import { NOW_SECONDS, SampleClock, sampleHandshake, sampleModel } from "./sample_top.ts";

Deno.test("TopModel keeps a copy of what it takes", () => {
  const model = sampleModel([]);
  const handshake = sampleHandshake({ server: "10.0.0.9" });
  model.packetsOf = (row) => `packets of ${row}`;
  model.take(handshake, CONTEXT, 7);
  handshake.server.address.fill(0);
  handshake.outcome = "timeout";
  const [kept] = model.latest();
  assertEquals([kept.handshake.outcome, kept.packets, kept.number], [
    "established",
    "packets of 7",
    1,
  ]);
  const [{ name, tally }] = model.counts.groups.server.list(1);
  assertEquals([name, tally.handshakes], ["10.0.0.9:443", 1]);
});

Deno.test("TopModel counts what passes a filter, beginning with what is kept, and goes back", () => {
  const clock = new SampleClock();
  const model = sampleModel(
    [{ outcome: "refused" }, {}, { outcome: "timeout" }, { outcome: "refused" }],
    clock,
  );
  model.filter(({ outcome }) => outcome === "refused");
  assertEquals([model.counts.all.handshakes, model.latest().length], [2, 2]);
  model.take(sampleHandshake({ outcome: "refused" }), CONTEXT);
  model.take(sampleHandshake(), CONTEXT);
  assertEquals([model.counts.all.handshakes, model.taken], [3, 6]);
  assertEquals(model.latest().map(({ number }) => number), [5, 4, 1]);
  // In the seconds in which they came.
  assertEquals(model.counts.all.seconds.sum(clock.seconds - 31, clock.seconds - 29), {
    handshakes: 2,
    failed: 2,
  });
  model.filter(undefined);
  assertEquals(model.counts.all.handshakes, 6);
});

Deno.test("TopModel keeps the handshakes of the group that is open", () => {
  const model = sampleModel([{ port: 1 }, { port: 2 }, { port: 1, outcome: "refused" }]);
  const numbers = () => model.opened().map(({ number }) => number);
  model.open("server", "10.0.0.5:1");
  assertEquals(numbers(), [3, 1]);
  model.take(sampleHandshake({ port: 1 }), CONTEXT);
  model.take(sampleHandshake({ port: 2 }), CONTEXT);
  assertEquals(numbers(), [4, 3, 1]);
  model.filter(({ outcome }) => outcome === "established");
  assertEquals(numbers(), [4, 1]);
  model.close();
  assertEquals(numbers(), []);
});

Deno.test("TopModel counts anew", () => {
  const model = sampleModel([{}, { outcome: "refused" }]);
  model.clear();
  model.take(sampleHandshake({ outcome: "timeout" }), CONTEXT);
  const { counts } = model;
  assertEquals([counts.all.handshakes, counts.failures.list().length], [1, 1]);
  assertEquals(model.latest().map(({ number }) => number), [3]);
});

Deno.test("TopModel keeps of a second what is sought first, and packets of that alone", () => {
  const model = sampleModel([]);
  const rows: number[] = [];
  model.packetsOf = (row) => rows.push(row);
  // The slowest hundred fill up first.
  for (let row = 0; row < 500; row++) {
    model.take(sampleHandshake({ clientRttNs: 1_000 }), CONTEXT, row);
  }
  assertEquals([rows.length, model.latest().length], [100, 300]);
  for (let row = 0; row < 2_000; row++) {
    model.take(sampleHandshake({ outcome: "half_open" }), CONTEXT, row);
  }
  assertEquals([rows.length, model.latest().length], [1_000, 1_200]);
  assertEquals(model.counts.all.handshakes, 2_500);
  assertEquals(model.counts.failures.list().length, 900);
});

Deno.test("TopModel holds no more for more handshakes", () => {
  const clock = new SampleClock();
  const model = sampleModel([], clock);
  model.open("client", "10.0.0.1");
  for (let nth = 0; nth < 20_000; nth++) {
    clock.seconds = NOW_SECONDS + (nth >> 10);
    const client = `10.${nth >> 16}.${nth >> 8 & 255}.${nth & 255}`;
    model.take(sampleHandshake({ client, outcome: "refused" }), CONTEXT);
  }
  const { counts } = model;
  assertEquals(counts.failures.list().length, 1_000);
  assert(counts.groups.client.list(Infinity).length <= 4_096);
  assertEquals([model.latest().length, model.taken], [2_048, 20_000]);
  assertEquals(model.opened().length <= 1_000, true);
});

import { assertEquals } from "@std/assert";
import { takePicture } from "../../../../src/output/top/picture.ts";
import { TopModel } from "../../../../src/output/top/top_model.ts";
import { CONTEXT } from "../../record/sample_handshakes.ts";
import { SampleClock, sampleHandshake, sampleMinute, sampleModel } from "./sample_top.ts";

const VIEW = { grouping: "server", sort: "handshakes", isReversed: false } as const;

Deno.test("takePicture tells what all say together, and each row", () => {
  const samples = sampleMinute();
  const { totals, rows, taken, others, failures } = takePicture(sampleModel(samples), VIEW, false);
  const failed = samples.filter(({ outcome }) => outcome !== undefined);
  assertEquals([totals.handshakes, totals.failed, taken], [
    samples.length,
    failed.length,
    samples.length,
  ]);
  const late = samples.filter(({ second }) => second! >= 50);
  assertEquals(totals.perSecond, {
    handshakes: late.length / 10,
    failed: late.filter(({ outcome }) => outcome).length / 10,
  });
  assertEquals(rows.reduce((sum, { handshakes }) => sum + handshakes, 0), samples.length);
  assertEquals([others, failures.length], [undefined, failed.length]);
});

Deno.test("takePicture tells how many are in no row where groups made room", () => {
  const clock = new SampleClock();
  const model = new TopModel(clock.wallMs, 4);
  for (let port = 1; port <= 50; port++) model.take(sampleHandshake({ port }), CONTEXT);
  const { others, rows } = takePicture(model, VIEW, true);
  const counted = rows.reduce((sum, { handshakes }) => sum + handshakes, 0);
  assertEquals(others, 50 - counted);
  // Packets alone tell of no process, which is no row that made room.
  for (let nth = 0; nth < 20; nth++) {
    model.take(sampleHandshake({ comm: `c${nth}` }), CONTEXT);
  }
  const byProcess = takePicture(model, { ...VIEW, grouping: "process" }, false);
  const processes = byProcess.rows.reduce((sum, { handshakes }) => sum + handshakes, 0);
  assertEquals(byProcess.others, 20 - processes);
});

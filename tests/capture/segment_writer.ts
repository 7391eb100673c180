// Writes records into a store until it is killed: FOLDER HOST TRACER. Tells how many it has written.
import { SegmentOutput } from "../../src/store/segment_output.ts";
import { makeRecords } from "./made_records.ts";

const [folder, host, tracer] = Deno.args;
const output = new SegmentOutput({ folder, host, tracer, keeping: {}, onChange: () => {} });
const lines = makeRecords(500, Number.parseInt(tracer)).flatMap(({ lines }) => [...lines.values()]);
for (let written = 1;; written++) {
  output.write(lines[written % lines.length], 1);
  Deno.stdout.writeSync(new TextEncoder().encode(`${written}\n`));
}

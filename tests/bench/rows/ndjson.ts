/** How fast records are written. */
import { StreamOutput } from "../../../src/files/stream_output.ts";
import { NdjsonFormat, TextSink } from "../../../src/output/text_sink.ts";
import { Pipeline } from "../../../src/pipeline/pipeline.ts";
import { NO_ROW } from "../../../src/pipeline/sink.ts";
import type { Row } from "../row.ts";
import { sourceOf, THROWING } from "../../unit/pipeline/stand_ins.ts";
import { CONTEXT, WORKED_EXAMPLE } from "../../unit/record/sample_handshakes.ts";

const BATCH = 2_000;

/** A whole record of both sources, filtered, encoded and written to /dev/null in batches. */
export const ndjson: Row = {
  name: "ndjson",
  title: "Records of NDJSON written, one thread, whole records of both sources",
  needs: [],
  async measure(bench) {
    const records = bench.either(300_000, 20_000);
    using file = await Deno.open("/dev/null", { write: true });
    const rates: number[] = [];
    for (let round = 0; round < bench.either(6, 2); round++) {
      const output = new StreamOutput(file, (reason) => {
        throw new Error(`Cannot write /dev/null: ${reason}`);
      });
      const sinks = [new TextSink(output, new NdjsonFormat(), "to /dev/null")];
      const pipeline = new Pipeline({ sinks, supervisor: THROWING });
      pipeline.begin(sourceOf(CONTEXT));
      const begin = performance.now();
      for (let written = 0; written < records; written += BATCH) {
        for (let each = 0; each < BATCH; each++) {
          // Times, ports and numbers of another handshake: no text can be kept for the next.
          WORKED_EXAMPLE.timeNs += 1_234_567;
          WORKED_EXAMPLE.client.port = 1_024 + (written + each) % 60_000;
          WORKED_EXAMPLE.client.isn = Math.imul(WORKED_EXAMPLE.client.isn!, 1_664_525) >>> 0;
          pipeline.take(WORKED_EXAMPLE, NO_ROW);
        }
        pipeline.flush();
        await output.flush();
      }
      // The first is the compiler's.
      if (round > 0) rates.push(records / ((performance.now() - begin) / 1e3) / 1e6);
    }
    return [{ name: "written", unit: "M records/s", values: rates, aim: { atLeast: 1.5 } }];
  },
};

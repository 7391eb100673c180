/** How fast records are written. */
import { HandshakeWriter } from "../../../src/cli/handshake_writer.ts";
import { StreamOutput } from "../../../src/files/stream_output.ts";
import { NdjsonFormat } from "../../../src/output/handshake_format.ts";
import type { Row } from "../row.ts";
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
      const writer = new HandshakeWriter({
        filter: {},
        count: Infinity,
        output,
        format: new NdjsonFormat(),
        context: CONTEXT,
        onCount: () => {},
      });
      const begin = performance.now();
      for (let written = 0; written < records; written += BATCH) {
        for (let each = 0; each < BATCH; each++) {
          // Times, ports and numbers of another handshake: no text can be kept for the next.
          WORKED_EXAMPLE.timeNs += 1_234_567;
          WORKED_EXAMPLE.client.port = 1_024 + (written + each) % 60_000;
          WORKED_EXAMPLE.client.isn = Math.imul(WORKED_EXAMPLE.client.isn!, 1_664_525) >>> 0;
          writer.take(WORKED_EXAMPLE);
        }
        writer.flush();
        await output.flush();
      }
      // The first is the compiler's.
      if (round > 0) rates.push(records / ((performance.now() - begin) / 1e3) / 1e6);
    }
    return [{ name: "written", unit: "M records/s", values: rates, aim: { atLeast: 1.5 } }];
  },
};

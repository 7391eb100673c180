/**
 * What stands around a pipeline or a sink in a test.
 *
 * @module
 */
import { type LineOutput, type Lines, toBytes } from "../../../src/files/stream_output.ts";
import type { Source, SourceCounters, Supervisor, TraceState } from "../../../src/pipeline/sink.ts";
import { Summary } from "../../../src/pipeline/summary.ts";
import type { RecordContext } from "../../../src/record/record_context.ts";

/** An error of a part is one of the test. */
export const THROWING: Supervisor = {
  fail: (_, error) => {
    throw error;
  },
  attempt: async (_, work) => await work(),
};

const NOTHING_COUNTED: SourceCounters = {
  span: { epochSeconds: 0, startNs: 0, endNs: 1e9 },
  losses: {},
  undecoded: {},
};

/** A state in which nothing was counted but what is given. */
export function stateOf(context: RecordContext, counted: Partial<TraceState> = {}): TraceState {
  return { ...NOTHING_COUNTED, summary: new Summary(), context, ...counted };
}

/** A source that stands still: what it counted are `counters`. */
export function sourceOf(context: RecordContext, counters: Partial<SourceCounters> = {}): Source {
  return {
    context,
    epochSeconds: 0,
    interfaceInFile: (place) => context.interfaceName(place),
    hidesData: () => false,
    counters: () => ({ ...NOTHING_COUNTED, ...counters }),
  };
}

/** An output that keeps what it takes. */
export class KeptText implements LineOutput {
  readonly lost = 0;
  text = "";

  write(lines: Lines): void {
    this.text += new TextDecoder().decode(toBytes(lines));
  }

  flush(): Promise<void> {
    return Promise.resolve();
  }
}

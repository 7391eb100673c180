/**
 * Files through a pipeline into sinks, without a command around them.
 *
 * @module
 */
import { InputSource } from "../../../src/pipeline/input_source.ts";
import { Pipeline, type PipelineOptions } from "../../../src/pipeline/pipeline.ts";
import type { Sink } from "../../../src/pipeline/sink.ts";
import { THROWING } from "./stand_ins.ts";

/** What a test may ask for. */
export type ReadAsked = Partial<Pick<PipelineOptions, "filter" | "count" | "rows">> & {
  interfaces?: readonly string[];
  countsOnce?: boolean;
  refusal?: string;
};

/** A source of files whose handshakes go into sinks. */
export function sourceInto(sinks: readonly Sink[], asked: ReadAsked = {}) {
  const { interfaces = [], countsOnce, refusal, ...options } = asked;
  const onCount = () => source.done = true;
  const pipeline = new Pipeline({ ...options, sinks, supervisor: THROWING, onCount });
  const source: InputSource = new InputSource({
    interfaces,
    host: "reader",
    pipeline,
    countsOnce,
    refusal,
  });
  /** Ends it as a command does, without waiting for what takes no time here. */
  const end = () => {
    source.conclude();
    for (const sink of sinks) sink.end(pipeline.state());
  };
  return { source, pipeline, end };
}

/** Reads files, in pieces of some bytes, into sinks. */
export function readInto(
  sinks: readonly Sink[],
  files: readonly Uint8Array[],
  asked: ReadAsked = {},
  piece = Infinity,
) {
  const { source, pipeline, end } = sourceInto(sinks, asked);
  for (const file of files) {
    const reader = source.beginFile();
    for (let from = 0; from < file.length; from += piece) {
      reader.feed(file.subarray(from, from + piece));
      pipeline.flush();
    }
    reader.end();
  }
  end();
  return { source, pipeline };
}

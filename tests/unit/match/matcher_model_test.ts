import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Matcher } from "../../../src/match/matcher.ts";
import { Segment, TcpFlag } from "../../../src/wire/segment.ts";
import { arbitraryTrace } from "./arbitrary_traffic.ts";
import { type ModelOptions, ReferenceModel } from "./reference_model.ts";
import { end, type Event, fillSegment, Play, run, snapshot } from "./traffic.ts";

/** Random traces that the matcher and the model are compared on: more find more. */
const MODEL_RUNS = 3_000;

const LIMITS = { joinNs: 40e6, unansweredNs: 70e9, halfOpenNs: 40e9 };
const LISTENER = { pid: 80, comm: "nginx", uid: 33, cgroup: 99 };
const LOCAL_WORD = end("192.0.2.1", 0).address[3];

const surroundings: Pick<ModelOptions, "isLocal" | "listenerOf"> = {
  isLocal: (address) => address[3] === LOCAL_WORD,
  listenerOf: (server) => server.localPort === 443 ? LISTENER : undefined,
};

Deno.test("Matcher reports what the plain model of its definitions reports", () => {
  fc.assert(
    fc.property(arbitraryTrace, ({ events, capacity, rememberNs }) => {
      const model = new ReferenceModel({ ...LIMITS, ...surroundings, capacity, rememberNs });
      for (const event of events) model.feed(event);
      const { pending } = model;
      model.flush();
      const actual = run(events, {
        ...LIMITS,
        capacity,
        rememberNs,
        isLocalAddress: (words, at) => surroundings.isLocal(words.subarray(at, at + 4)),
        listenerOf: surroundings.listenerOf,
      });
      assertEquals(actual.records, model.records);
      assertEquals(actual.counters, model.counters);
      assertEquals(actual.pendingBeforeFlush, pending);
      assertEquals(actual.pending, 0);
    }),
    { numRuns: MODEL_RUNS },
  );
});

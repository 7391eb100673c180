// Segments in random links, tags and tunnels, whole and cut anywhere, against tshark: the same numbers,
// or a reason. `-- --runs=N` for more; a failure names the seed that it came of.
import { assert, assertEquals } from "@std/assert";
import { findExecutable } from "../../src/linux/host.ts";
import { FrameVerdict, frameVerdictNames, LinkType } from "../../src/wire/frame.ts";
import { Random } from "../random.ts";
import { buildPcap } from "../unit/pcap/build_capture.ts";
import { decode } from "../unit/wire/decode.ts";
import { wrapAtRandom, type WrappedFrame } from "./random_wrappings.ts";

const RUNS = Number(/^--runs=(\d+)$/.exec(Deno.args[0] ?? "")?.[1] ?? 2_000);
const FIELDS = [
  "tcp.srcport",
  "tcp.dstport",
  "tcp.seq_raw",
  "tcp.ack_raw",
  "tcp.flags",
  "tcp.len",
  "tcp.window_size_value",
  "tcp.options.mss_val",
  // The last one of the fixed header: where it is, that was captured whole.
  "tcp.urgent_pointer",
];
const FLAGS_FIELD = 4;

interface Cut extends WrappedFrame {
  seed: number;
  captured: number;
}

/** What tshark says of the innermost segments of frames: their numbers, undefined for none. */
async function tsharkSays(path: string): Promise<(string[] | undefined)[]> {
  const { stdout } = await new Deno.Command("tshark", {
    args: [
      ...["-nr", path, "-o", "tcp.relative_sequence_numbers:FALSE"],
      ...["-T", "fields", "-E", "occurrence=l", ...FIELDS.flatMap((field) => ["-e", field])],
    ],
    stdin: "null",
    stderr: "null",
  }).output();
  return new TextDecoder().decode(stdout).split("\n").slice(0, -1).map((line) => {
    const fields = line.split("\t");
    if (fields.pop() === "") return undefined;
    return fields.map((field, index) => index === FLAGS_FIELD ? String(Number(field)) : field);
  });
}

/** The same of what is read here, or the reason why there is none. */
function saidHere({ frame, linkType, captured }: Cut): string[] | string {
  const { verdict, segment } = decode({ bytes: frame, linkType, captured });
  if (verdict !== FrameVerdict.Tcp) return frameVerdictNames[verdict];
  const { options } = segment;
  return [
    segment.sourcePort,
    segment.destinationPort,
    segment.sequence,
    segment.acknowledgment,
    segment.flags,
    segment.payloadLength,
    segment.window,
    options.mss < 0 ? "" : options.mss,
  ].map(String);
}

if (findExecutable("tshark") === undefined) {
  const name = 'random wrappings against tshark — skipped: no "tshark" (package tshark)';
  Deno.test({ name, ignore: true, fn() {} });
} else {
  Deno.test(`decodeFrame finds in ${RUNS} random wrappings what tshark finds`, async () => {
    const begin = Date.now() % 2 ** 31;
    const frames = Array.from({ length: RUNS }, (_, index): Cut => {
      const random = new Random(begin + index);
      const wrapped = wrapAtRandom(random);
      // tshark reads nothing of a cut NFLOG packet.
      const isWhole = wrapped.linkType === LinkType.NFLOG || random.percent(60);
      const captured = isWhole ? wrapped.frame.length : random.below(wrapped.frame.length);
      return { ...wrapped, seed: random.seed, captured };
    });
    const path = await Deno.makeTempFile({ prefix: "synsnoop-wrappings-" });
    const found = { whole: 0, cut: 0, none: 0 };
    try {
      for (const [linkType, ofLink] of Map.groupBy(frames, ({ linkType }) => linkType)) {
        const records = ofLink.map(({ frame, captured }, fraction) => ({
          fraction,
          data: frame.subarray(0, captured),
          originalLength: frame.length,
        }));
        await Deno.writeFile(path, buildPcap({ linkType, records }));
        const theirs = await tsharkSays(path);
        assertEquals(theirs.length, ofLink.length);
        for (const [index, cut] of ofLink.entries()) {
          const { captured, frame } = cut;
          const ours = saidHere(cut);
          const made =
            `new Random(${cut.seed}), ${captured} of ${frame.length} bytes of link type ` +
            `${linkType}: ${cut.made.join(", ")}`;
          const isWhole = captured === frame.length;
          if (theirs[index] === undefined) {
            assertEquals(typeof ours, "string", made);
            assert(!isWhole, made);
            found.none++;
          } else {
            assertEquals(ours, theirs[index], made);
            found[isWhole ? "whole" : "cut"]++;
          }
        }
      }
    } finally {
      await Deno.remove(path);
    }
    for (const [kind, count] of Object.entries(found)) {
      assert(count > RUNS / 50, `${count} of ${RUNS}: ${kind}`);
    }
  });
}

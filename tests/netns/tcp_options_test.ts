// Any TCP options against what the running kernel takes from them as their receiver: right ones, repeated
// ones, behind the end of the list, with lengths that lie. `-- --runs=N` for more than a few.
// Covers src/wire/tcp_options.ts
import { assert, assertEquals } from "@std/assert";
import { TextLineStream } from "@std/streams";
import fc from "fast-check";
import { readTcpOptions, TcpOptions } from "../../src/wire/tcp_options.ts";
import { concat, tcpOption, u16 } from "../unit/wire/build_frame.ts";
import { Namespace, namespaceTest } from "./namespace.ts";

const RUNS = Number(/^--runs=(\d+)$/.exec(Deno.args[0] ?? "")?.[1] ?? 2_000);
const AREA_LENGTH_MAX = 40;
/** What Linux goes by without the option, and its `tcp_min_snd_mss`. */
const MSS_DEFAULT = 536;
const MSS_MIN = 48;
/** The kernel sends no more than half a window at once, which is 65,535 here. */
const MSS_MAX = 30_000;
const TIMESTAMPS_LENGTH = 12;
/** `TCP_MAX_WSCALE`, RFC 7323 §2.3. */
const SCALE_MAX = 14;

/** A line of `option_receiver.py`. */
interface Taken {
  largestSegment: number;
  windowScale: number;
  sackPermitted: boolean;
  timestampValue: number;
  fastOpen: boolean;
  multipath: boolean;
}

const bytes = (...lengths: number[]) =>
  fc.constantFrom(...lengths).chain((length) =>
    fc.uint8Array({ minLength: length, maxLength: length })
  );
const mss = fc.oneof(fc.constantFrom(0, 1, 47, 48, 536, 1460), fc.nat({ max: MSS_MAX }));
const rightOption = fc.oneof(
  mss.map((size) => tcpOption(2, u16(size))),
  fc.nat({ max: 255 }).map((shift) => tcpOption(3, [shift])),
  fc.constant(tcpOption(4)),
  bytes(8).map((data) => tcpOption(8, data)),
  bytes(0, 4, 8, 16).map((cookie) => tcpOption(34, cookie)),
  fc.tuple(fc.constantFrom(253, 254), bytes(0, 4, 16)).map(([kind, cookie]) =>
    tcpOption(kind, concat(u16(0xf989), cookie))
  ),
  fc.constant(tcpOption(30, [1, 1])),
  bytes(10).map((data) => tcpOption(30, data)),
  fc.tuple(fc.constantFrom(5, 28, 99, 172, 174, 253, 254), bytes(2, 5, 8)).map(([kind, data]) =>
    tcpOption(kind, data)
  ),
);
const kind = fc.constantFrom(2, 3, 4, 5, 8, 30, 34, 99, 254);
const option = fc.oneof(
  { weight: 8, arbitrary: rightOption },
  { weight: 2, arbitrary: fc.constantFrom(new Uint8Array([1]), new Uint8Array([0])) },
  // A length that is true but none of this kind, and one that lies.
  {
    weight: 2,
    arbitrary: fc.tuple(kind, fc.uint8Array({ maxLength: 12 }))
      .map(([kind, data]) => tcpOption(kind, data)),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(rightOption, fc.nat({ max: 255 })).map(([option, length]) =>
      option.with(1, length)
    ),
  },
);
const area = fc.oneof(
  { weight: 9, arbitrary: fc.array(option, { maxLength: 7 }).map((all) => concat(...all)) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: AREA_LENGTH_MAX }) },
).map((all) => {
  const cut = all.subarray(0, AREA_LENGTH_MAX);
  return concat(cut, new Uint8Array((4 - cut.length % 4) % 4).fill(1));
});

/** The same by what is read here. */
function takenHere(area: Uint8Array): Taken {
  const options = new TcpOptions();
  readTcpOptions(
    new DataView(area.buffer, area.byteOffset, area.length),
    0,
    area.length,
    options,
  );
  const size = Math.max(options.mss > 0 ? options.mss : MSS_DEFAULT, MSS_MIN);
  return {
    largestSegment: Math.min(size, MSS_MAX) - (options.timestamps ? TIMESTAMPS_LENGTH : 0),
    windowScale: Math.min(options.windowScale, SCALE_MAX),
    sackPermitted: options.sackPermitted,
    timestampValue: options.timestamps ? options.timestampValue : -1,
    fastOpen: options.fastOpenCookieLength >= 0,
    multipath: options.mptcpSubtype >= 0,
  };
}

await namespaceTest(
  `readTcpOptions takes from ${RUNS} option areas what the kernel takes`,
  async () => {
    const areas = fc.sample(area, RUNS);
    const shown = () => areas.map((area) => area.toHex());
    await using namespace = await Namespace.create();
    await namespace.run("sh", "-c", "echo 2 >/proc/sys/net/ipv4/tcp_fastopen");
    const script = new URL("option_receiver.py", import.meta.url).pathname;
    const receiver = namespace.spawn(["python3", script], { stdin: "piped", stdout: "piped" });
    const writing = new Blob([shown().join("\n") + "\n"]).stream().pipeTo(receiver.stdin);
    const lines = await Array.fromAsync(
      receiver.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream()),
    );
    await writing;
    assertEquals((await receiver.status).success, true);
    assertEquals(lines.length, RUNS);
    const answered = { all: 0, fastOpen: 0, multipath: 0 };
    for (const [index, line] of lines.entries()) {
      const taken: Taken | null = JSON.parse(line);
      if (taken === null) continue;
      const here = takenHere(areas[index]);
      taken.largestSegment = Math.min(
        taken.largestSegment,
        MSS_MAX - (taken.timestampValue < 0 ? 0 : TIMESTAMPS_LENGTH),
      );
      // It answers by MPTCP where it takes all of what stands in the option, too.
      if (!taken.multipath) here.multipath = false;
      assertEquals(here, taken, areas[index].toHex());
      answered.all++;
      if (taken.fastOpen) answered.fastOpen++;
      if (taken.multipath) answered.multipath++;
    }
    assert(answered.all > RUNS / 2, `${answered.all} answered`);
    assert(answered.fastOpen > RUNS / 20, `${answered.fastOpen} with a cookie`);
    assert(answered.multipath > RUNS / 50, `${answered.multipath} by MPTCP`);
  },
);

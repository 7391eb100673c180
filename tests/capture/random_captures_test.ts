// Random capture files against tshark: the same packets, the same times to the nanosecond, and a fault
// where that has one. `-- --runs=N` for more than a few; a failure names the seed that it came of.
import { assert, assertEquals } from "@std/assert";
import { findExecutable } from "../../src/linux/host.ts";
import { Random } from "../random.ts";
import { readCapture, type ReadPacket } from "../unit/pcap/read_capture.ts";
import { randomPcap, randomPcapng } from "./random_captures.ts";

const RUNS = Number(/^--runs=(\d+)$/.exec(Deno.args[0] ?? "")?.[1] ?? 16);
const FIELDS = ["frame.time_epoch", "frame.cap_len", "frame.len", "_ws.col.Info"];
/** tshark rounds times to the digits that an interface's resolution is near to, to so many zeros at most. */
const ZEROS = /0{1,6}$/;

/** A packet as both say it: time in nanoseconds, bytes captured, bytes on the wire. */
interface Said {
  time: string;
  captured: number;
  original: number;
}

async function tsharkSays(path: string): Promise<{ packets: Said[]; isFaulty: boolean }> {
  const { stdout, stderr } = await new Deno.Command("tshark", {
    args: ["-nr", path, "-T", "fields", ...FIELDS.flatMap((field) => ["-e", field])],
    stdin: "null",
  }).output();
  const lines = new TextDecoder().decode(stdout).split("\n").slice(0, -1)
    .map((line) => line.split("\t"))
    // Its own kind of packet.
    .filter(([, , , info]) => !info.startsWith("Custom Block"));
  const packets = lines.map(([time, captured, original]) => ({
    time,
    captured: Number(captured),
    original: Number(original),
  }));
  return { packets, isFaulty: /damaged|cut short/.test(new TextDecoder().decode(stderr)) };
}

/** What is read here, its times with as many digits as tshark shows. */
function saidHere({ unixNs, data, originalLength }: ReadPacket, shown: Said | undefined): Said {
  const exact = unixNs === undefined
    ? ""
    : `${unixNs / 1_000_000_000n}.${String(unixNs % 1_000_000_000n).padStart(9, "0")}`;
  const zeros = ZEROS.exec(shown?.time ?? "")?.[0].length ?? 0;
  const shownNs = BigInt(shown?.time.replace(".", "") ?? 0);
  const difference = Number((unixNs ?? 0n) - shownNs);
  const isRounded = exact !== "" && Math.abs(difference) < 10 ** zeros;
  return {
    time: isRounded ? shown!.time : exact,
    captured: data.length,
    original: originalLength,
  };
}

if (findExecutable("tshark") === undefined) {
  const name = 'random captures against tshark — skipped: no "tshark" (package tshark)';
  Deno.test({ name, ignore: true, fn() {} });
} else {
  Deno.test(`CaptureReader reads ${RUNS} random files as tshark does`, async () => {
    const begin = Date.now() % 2 ** 31;
    const path = await Deno.makeTempFile({ prefix: "synsnoop-random-" });
    let packets = 0;
    try {
      for (let run = 0; run < RUNS; run++) {
        const random = new Random(begin + run);
        const file = run % 3 === 0 ? randomPcap(random) : randomPcapng(random);
        await Deno.writeFile(path, file);
        const read = readCapture(file, [random.below(file.length)]);
        const theirs = await tsharkSays(path);
        const ours = read.packets.map((packet, index) => saidHere(packet, theirs.packets[index]));
        assertEquals(ours, theirs.packets, `new Random(${random.seed})`);
        assertEquals(read.fault !== undefined, theirs.isFaulty, `new Random(${random.seed})`);
        packets += ours.length;
      }
    } finally {
      await Deno.remove(path);
    }
    assert(packets > RUNS * 10, `${packets} packets`);
  });
}

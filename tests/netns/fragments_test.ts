// Fragments of a SYN in any order, again, overlapping, missing and of wrong lengths, against what the
// running kernel makes of them. `-- --runs=N` for more than a few.
// Covers src/wire/fragment_assembler.ts
import { assert, assertEquals } from "@std/assert";
import { TextLineStream } from "@std/streams";
import { Checksum, tcpChecksum } from "../../src/wire/checksum.ts";
import { FragmentAssembler } from "../../src/wire/fragment_assembler.ts";
import { decodePacket, FrameVerdict } from "../../src/wire/frame.ts";
import { Segment } from "../../src/wire/segment.ts";
import { Random } from "../random.ts";
import {
  buildIpv4,
  buildIpv6,
  buildTcp,
  finished,
  ipv6Fragment,
  linuxSynOptions,
} from "../unit/wire/build_frame.ts";
import { Namespace, namespaceTest } from "./namespace.ts";

const RUNS = Number(/^--runs=(\d+)$/.exec(Deno.args[0] ?? "")?.[1] ?? 2_000);
const PORT = 443;
const PORT_FIRST = 1_024;
/** Of `tun_host.py`. */
const ENDS = {
  4: { source: "10.9.0.2", destination: "10.9.0.1" },
  6: { source: "2001:db8:9::2", destination: "2001:db8:9::1" },
} as const;

interface Part {
  begin: number;
  end: number;
  more: boolean;
}

/** The packets of one SYN from a port, from their IP headers on. */
function fragmentsOf(random: Random, number: number): Uint8Array[] {
  const version = random.pick([4, 6] as const);
  const tcp = buildTcp({
    sourcePort: PORT_FIRST + number,
    destinationPort: PORT,
    sequence: number,
    options: random.percent(70) ? linuxSynOptions() : undefined,
    payload: new Uint8Array(random.below(60)),
  });
  const whole = version === 4
    ? finished(buildIpv4({ ...ENDS[4], payload: tcp })).subarray(20)
    : finished(buildIpv6({ ...ENDS[6], payload: tcp })).subarray(40);
  const part = ({ begin, end, more }: Part) => {
    const payload = whole.subarray(begin, end);
    if (version === 6) {
      const fragment = ipv6Fragment(begin / 8, more);
      // Its identification stands at the end of the header.
      new DataView(fragment.body.buffer).setUint32(3, number + 1);
      return buildIpv6({ ...ENDS[6], payload, extensions: [fragment] });
    }
    const packet = buildIpv4({
      ...ENDS[4],
      payload,
      identification: number + 1,
      fragmentOffset: begin / 8,
      moreFragments: more,
    });
    return withIpChecksum(packet);
  };
  return parts(whole.length, random).map(part);
}

function withIpChecksum(packet: Uint8Array): Uint8Array {
  let sum = 0;
  for (let at = 0; at < 20; at += 2) sum += packet[at] << 8 | packet[at + 1];
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  packet.set([~sum >>> 8 & 0xff, ~sum & 0xff], 10);
  return packet;
}

function parts(length: number, random: Random): Part[] {
  const all: Part[] = [];
  for (let begin = 0; begin < length;) {
    const end = Math.min(length, begin + 8 * (1 + random.below(4)));
    all.push({ begin, end, more: end < length });
    begin = end;
  }
  const aligned = (below: number) => 8 * random.below(Math.ceil(below / 8));
  if (random.percent(20)) all.push(random.pick(all));
  if (random.percent(25)) {
    const begin = aligned(length);
    const end = Math.min(length, begin + 8 * (1 + random.below(4)));
    all.push({ begin, end, more: random.percent(90) ? end < length : end === length });
  }
  if (random.percent(50)) {
    const [from, to] = [random.below(all.length), random.below(all.length)];
    [all[from], all[to]] = [all[to], all[from]];
  }
  if (random.percent(20)) all.reverse();
  const one = random.below(all.length);
  const { begin, end, more } = all[one];
  switch (random.below(14)) {
    case 0:
      all.splice(one, 1);
      break;
    case 1:
      all[one] = { begin, end, more: !more };
      break;
    case 2:
      all[one] = { begin, end: end - 1 - random.below(7), more };
      break;
    case 3:
      all[one] = { begin, end: begin, more };
      break;
  }
  return all;
}

/** Whether a SYN comes of packets. */
function isSynHere(packets: readonly Uint8Array[]): boolean {
  const assembler = new FragmentAssembler();
  const segment = new Segment();
  return packets.some((packet, timeNs) => {
    const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
    const verdict = decodePacket(view, 0, packet.length, packet.length, segment);
    if (verdict === FrameVerdict.Tcp) return tcpChecksum(view, segment) === Checksum.RIGHT;
    if (verdict !== FrameVerdict.FirstFragment && verdict !== FrameVerdict.LaterFragment) {
      return false;
    }
    const made = assembler.take(view, segment, 1, timeNs);
    if (made === undefined) return false;
    const { capturedLength, originalLength } = made;
    return decodePacket(made.view, 0, capturedLength, originalLength, segment) ===
        FrameVerdict.Tcp && tcpChecksum(made.view, segment) === Checksum.RIGHT;
  });
}

await namespaceTest(
  `FragmentAssembler makes of ${RUNS} fragmented SYNs what the kernel makes of them`,
  async () => {
    const begin = Date.now() % 2 ** 31;
    const syns = Array.from(
      { length: RUNS },
      (_, number) => fragmentsOf(new Random(begin + number), number),
    );
    const lines = syns.map((packets, number) =>
      [PORT_FIRST + number, ...packets.map((packet) => packet.toHex())].join(" ")
    );
    await using namespace = await Namespace.create();
    // What stays incomplete is held for a minute.
    await namespace.run(
      "sh",
      "-c",
      "echo 268435456 | tee /proc/sys/net/ipv4/ipfrag_high_thresh /proc/sys/net/ipv6/ip6frag_high_thresh",
    );
    const script = new URL("fragment_receiver.py", import.meta.url).pathname;
    const receiver = namespace.spawn(["python3", script], { stdin: "piped", stdout: "piped" });
    const writing = new Blob([lines.join("\n") + "\n"]).stream().pipeTo(receiver.stdin);
    const answers = await Array.fromAsync(
      receiver.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream()),
    );
    await writing;
    assertEquals([(await receiver.status).success, answers.length], [true, RUNS]);
    const whole = answers.filter((answer) => answer === "1").length;
    assert(whole > RUNS / 5 && whole < RUNS * 0.95, `${whole} of ${RUNS} were answered`);
    const differ = syns.flatMap((packets, number) =>
      isSynHere(packets) === (answers[number] === "1")
        ? []
        : [`${answers[number]} to ${lines[number]}`]
    );
    assertEquals(differ.slice(0, 5), [], `${differ.length} of ${RUNS}`);
  },
);

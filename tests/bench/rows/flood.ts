/** Whether real handshakes are reported beside a flood, and memory stays. */
import { Growth } from "../growth.ts";
import { lossFigures } from "../outcome.ts";
import { pacedConnections } from "../paced.ts";
import type { Row } from "../row.ts";
import { layCable, type Sent } from "../synthetic.ts";
import { trace } from "../watchers.ts";
import { lineReader } from "../../line_reader.ts";

const PORT = 4438;
const FLOOD_RATE = 200_000;
const REAL_RATE = 1_000;
const SERVER = "10.79.0.2";
const FLAT_MB = 5;

/** SYNs of ever new clients to a port that listens, beside connections to the same host. */
export const flood: Row = {
  name: "flood",
  title: "1,000 real connections a second beside a flood of SYNs, 200,000 a second asked, `trace`",
  needs: ["gcc", "bpftrace"],
  async measure(bench) {
    await using cable = await layCable(bench, { here: "10.79.0.1/24", there: `${SERVER}/24` });
    const { receiver, receiverEnd } = cable;
    const link = await receiver.ip("link", "show", receiverEnd);
    const mac = /link\/ether (\S+)/.exec(link)![1];
    // The flood's clients are behind the cable, where nobody answers for them.
    await receiver.ip("route", "add", "10.0.0.0/8", "via", "10.79.0.1");
    const listening = receiver.spawn(
      [await bench.program("../netns/connect_load.c"), SERVER, String(PORT + 1), "1", "--serve"],
      { stdout: "piped" },
    );
    const said = lineReader(listening.stdout);
    await said.read();

    const seconds = bench.either(10, 1, 60);
    const connect = await pacedConnections(bench, receiver, PORT, REAL_RATE, seconds * REAL_RATE);
    const syns = (forSeconds: number): Promise<Sent> =>
      cable.send(
        ...[FLOOD_RATE, `${forSeconds}s`, "syns"] as const,
        ...[mac, SERVER, String(PORT + 1), "10.0.0.1"],
      );
    // What the kernel takes and answers where nobody watches: the machine does no more.
    const untraced = await syns(bench.either(3, 1));

    const watching = await trace("", ["--port", String(PORT)]).start(receiver);
    const growth = await Growth.during(
      watching.pid,
      () => Promise.all([syns(seconds), connect()]),
    );
    const outcome = await watching.stop();
    await said.cancel();
    const [traced, real] = growth.result;
    return [
      { name: "SYNs sent, nobody watching", unit: "/s", values: [untraced.perSecond] },
      { name: "SYNs sent", unit: "/s", values: [traced.perSecond] },
      {
        name: "real connections made",
        unit: "/s",
        values: [real.connections / real.seconds],
      },
      {
        name: "real connections not reported as established",
        unit: "",
        values: [real.connections - (outcome.established ?? 0)],
        aim: { atMost: 0 },
      },
      ...lossFigures(outcome),
      {
        name: "growth of Deno's memory in the second half",
        unit: "MB",
        values: [growth.after(0.5)],
        aim: { atMost: FLAT_MB },
      },
      { name: "peak of Deno", unit: "MB", values: [growth.peak] },
    ];
  },
};

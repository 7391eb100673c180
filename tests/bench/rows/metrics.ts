/** What a trace pays for who asks it for metrics. */
import { Namespace } from "../../netns/namespace.ts";
import { lostIn } from "../outcome.ts";
import type { Row } from "../row.ts";
import { trace } from "../watchers.ts";

const PORT = 4436;
const ADDRESS = "127.0.0.1:9464";
const ONLY = ["--server-port", String(PORT)];

/** Asks each second, as no Prometheus does, and holds a request that never ends. */
const SCRAPER = `
import socket, time
held = socket.create_connection(("127.0.0.1", 9464))
held.send(b"GET /met")
while True:
    one = socket.create_connection(("127.0.0.1", 9464))
    one.send(b"GET /metrics HTTP/1.1\\r\\nAccept: application/openmetrics-text\\r\\n\\r\\n")
    while one.recv(65536): pass
    one.close()
    time.sleep(1)
`;

/** Connections a second while a trace is asked for metrics, beside those while it is not. */
export const metrics: Row = {
  name: "metrics",
  title:
    "Connections a second on loopback, `trace --metrics` that is scraped each second / `trace`",
  needs: ["gcc", "python3"],
  async measure(bench) {
    const [warmUp, connections] = [bench.either(10_000, 500), bench.either(20_000, 1_000)];
    const load = await bench.program("../netns/connect_load.c");
    await using namespace = await Namespace.create();
    const rateWith = async (flags: readonly string[]) => {
      const watching = await trace("", [...ONLY, ...flags]).start(namespace);
      const scraper = flags.length > 0
        ? namespace.spawn(["python3", "-c", SCRAPER], { stderr: "null" })
        : undefined;
      const run = (count: number) => namespace.run(load, "127.0.0.1", String(PORT), String(count));
      // The first ones are the compiler's.
      await run(warmUp);
      const text = await run(connections);
      scraper?.kill("SIGKILL");
      await scraper?.status;
      const outcome = await watching.stop();
      const [, elapsedNs] = text.trim().split(" ").map(Number);
      const lacking = warmUp + connections - (outcome.handshakes ?? 0) + lostIn(outcome);
      return { rate: connections / (elapsedNs / 1e9), lacking };
    };
    const ratios: number[] = [];
    const lacking: number[] = [];
    for (let pair = 0; pair < bench.either(20, 1); pair++) {
      bench.say(`pair ${pair + 1}`);
      // By turns each comes first, so that what drifts favours neither.
      const flags = [[], ["--metrics", ADDRESS]];
      const order = pair % 2 === 0 ? [0, 1] : [1, 0];
      const runs: Awaited<ReturnType<typeof rateWith>>[] = [];
      for (const which of order) runs[which] = await rateWith(flags[which]);
      ratios.push(runs[1].rate / runs[0].rate);
      lacking.push(runs[1].lacking);
    }
    return [
      {
        name: "`trace --metrics` / `trace`",
        unit: "ratio",
        values: ratios,
        aim: { atLeast: 0.97 },
      },
      { name: "handshakes not reported or lost", unit: "", values: lacking, aim: { atMost: 0 } },
    ];
  },
};

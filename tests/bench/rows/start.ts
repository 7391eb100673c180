/** How soon a trace reports. */
import { TextLineStream } from "@std/streams";
import { Namespace } from "../../netns/namespace.ts";
import type { Row } from "../row.ts";
import { TRACE } from "../watchers.ts";

const PORT = 4439;
const RATE = 100;
/** A machine that attaches slower than this is measured by another row. */
const GIVE_UP_S = 120;

/** A connection every 10 ms, from before the start until both were reported. */
export const start: Row = {
  name: "start",
  title: "From the start of `trace` to the first handshake reported, a connection every 10 ms",
  needs: ["gcc", "bpftrace"],
  async measure(bench) {
    await using namespace = await Namespace.create();
    const load = await bench.program("../netns/connect_load.c");
    const client = await bench.program("paced_connect.c");
    const wire: number[] = [];
    const kernel: number[] = [];
    for (let round = 0; round < bench.either(5, 1); round++) {
      const count = String(RATE * GIVE_UP_S);
      const serving = namespace.spawn([load, "127.0.0.1", String(PORT), count, "--serve"], {
        stdout: "piped",
      });
      const said = serving.stdout.getReader();
      await said.read();
      const connecting = namespace.spawn(
        [client, "127.0.0.1", ...[PORT, RATE, count].map(String)],
        {
          stdout: "null",
        },
      );
      const begin = performance.now();
      const tracing = namespace.spawn([...TRACE, "--port", String(PORT)], {
        stdout: "piped",
        stderr: "null",
      });
      let wireSeconds: number | undefined;
      let bothSeconds: number | undefined;
      for await (
        const line of tracing.stdout.pipeThrough(new TextDecoderStream())
          .pipeThrough(new TextLineStream())
      ) {
        const seconds = (performance.now() - begin) / 1e3;
        const { evidence } = JSON.parse(line);
        if (!Array.isArray(evidence)) break;
        if (evidence.includes("wire")) wireSeconds ??= seconds;
        if (evidence.includes("kernel")) bothSeconds ??= seconds;
        if (bothSeconds !== undefined) tracing.kill("SIGINT");
      }
      for (const child of [connecting, serving]) child.kill("SIGKILL");
      await Promise.all([tracing.status, connecting.status, serving.status]);
      await said.cancel();
      if (wireSeconds !== undefined) wire.push(wireSeconds);
      if (bothSeconds !== undefined) kernel.push(bothSeconds);
    }
    return [
      { name: "from packets", unit: "s", values: wire, aim: { atMost: 0.3 } },
      { name: "from the kernel too", unit: "s", values: kernel, aim: { atMost: 2 } },
    ];
  },
};

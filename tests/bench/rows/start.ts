/** How soon a trace reports. */
import { TextLineStream } from "@std/streams";
import { Namespace } from "../../netns/namespace.ts";
import { installedCommand } from "../installed_command.ts";
import { compareInPairs } from "../pairs.ts";
import type { Bench, Figure, Row } from "../row.ts";
import { HERE } from "../task_command.ts";
import { lineReader } from "../../line_reader.ts";

const PORT = 4439;
const RATE = 100;
/** A machine that attaches slower than this is measured by another row. */
const GIVE_UP_S = 120;
const PACKETS_SECONDS = 0.2;
const KERNEL_SECONDS = 2;

/** A connection every 10 ms, from before the start until both were reported. */
export const start: Row = {
  name: "start",
  title: "From the start of `synsnoop trace`, installed, to the first handshake reported",
  needs: ["gcc", "bpftrace"],
  compare: compareVersions,
  async measure(bench) {
    await using namespace = await Namespace.create();
    const command = await installedCommand(bench, HERE);
    const runs: FirstReports[] = [];
    for (let round = 0; round < bench.either(10, 1); round++) {
      runs.push(await firstReports(bench, namespace, command));
    }
    return [
      {
        name: "from packets",
        unit: "s",
        values: runs.map(({ packets }) => packets),
        aim: { atMost: PACKETS_SECONDS },
      },
      {
        name: "from the kernel too",
        unit: "s",
        values: runs.map(({ kernel }) => kernel),
        aim: { atMost: KERNEL_SECONDS },
      },
    ];
  },
};

/** Seconds after the start. */
interface FirstReports {
  packets: number;
  kernel: number;
}

async function firstReports(
  bench: Bench,
  namespace: Namespace,
  command: string,
): Promise<FirstReports> {
  const load = await bench.program("../netns/connect_load.c");
  const client = await bench.program("paced_connect.c");
  const count = String(RATE * GIVE_UP_S);
  const serving = namespace.spawn([load, "127.0.0.1", String(PORT), count, "--serve"], {
    stdout: "piped",
  });
  const said = lineReader(serving.stdout);
  await said.read();
  const connecting = namespace.spawn([client, "127.0.0.1", ...[PORT, RATE, count].map(String)], {
    stdout: "null",
  });
  const begin = performance.now();
  const tracing = namespace.spawn([command, "trace", "--port", String(PORT)], {
    stdout: "piped",
    stderr: "null",
  });
  let packets: number | undefined;
  let kernel: number | undefined;
  for await (
    const line of tracing.stdout.pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream())
  ) {
    const seconds = (performance.now() - begin) / 1e3;
    const { evidence } = JSON.parse(line);
    if (!Array.isArray(evidence)) break;
    if (evidence.includes("wire")) packets ??= seconds;
    if (evidence.includes("kernel")) kernel ??= seconds;
    if (kernel !== undefined) tracing.kill("SIGINT");
  }
  for (const child of [connecting, serving]) child.kill("SIGKILL");
  await Promise.all([tracing.status, connecting.status, serving.status]);
  await said.cancel();
  if (packets === undefined || kernel === undefined) {
    throw new Error(`Cannot go on: ${command} reported nothing from packets and the kernel`);
  }
  return { packets, kernel };
}

async function compareVersions(bench: Bench, root: string): Promise<Figure[]> {
  await using namespace = await Namespace.create();
  const quantities = [
    { name: "first handshake from packets", unit: "s" },
    { name: "first handshake from the kernel too", unit: "s" },
  ] as const;
  return await compareInPairs(bench, root, bench.either(20, 1), quantities, async (version) => {
    const command = await installedCommand(bench, version);
    const { packets, kernel } = await firstReports(bench, namespace, command);
    return [packets, kernel];
  });
}

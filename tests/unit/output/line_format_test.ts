import { assertEquals } from "@std/assert";
import { formatHandshake, formatHeading } from "../../../src/output/line.ts";
import { LineFormat } from "../../../src/output/line_format.ts";
import { HANDSHAKES, makeHandshake, taken } from "../record/sample_handshakes.ts";

Deno.test("LineFormat writes each line when it comes, headed once", () => {
  const format = new LineFormat();
  const [first, second] = HANDSHAKES;
  assertEquals(taken(format, first), formatHeading() + formatHandshake(first));
  assertEquals(taken(format, second), formatHandshake(second));
  assertEquals(format.end(), "");
});

Deno.test("LineFormat tells namespaces and cgroups from where there are several of them", () => {
  const format = new LineFormat(() => ({ width: 160 }));
  const context = {
    host: "a",
    interfaceName: () => undefined,
    cgroupPath: (id: number) => `/${id}`,
  };
  const at = (netns: number, cgroup: number) =>
    taken(
      format,
      makeHandshake({
        client: { address: "10.0.0.1", process: { pid: 1, comm: "a", uid: 0, cgroup } },
        server: { address: "10.0.0.2" },
        netns,
        wire: true,
        kernel: true,
      }),
      context,
    ).trimEnd().split("\n").at(-1)!.slice(108);
  assertEquals(
    [at(7, 5), at(7, 5), at(8, 5), at(7, 6)],
    ["a/1 -> ?", "a/1 -> ?", "a/1 -> ?, netns 8", "a/1@6 -> ?, netns 7"],
  );
});

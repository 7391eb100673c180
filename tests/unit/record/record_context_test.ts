import { assertEquals } from "@std/assert";
import {
  CurrentContext,
  type RecordContext,
  RecordedContext,
} from "../../../src/record/record_context.ts";
import { CONTEXT } from "./sample_handshakes.ts";

Deno.test("RecordedContext numbers interfaces by their names", () => {
  const context = new RecordedContext();
  assertEquals(["eth0", "lo", "eth0"].map((name) => context.placeOf(name)), [1, 2, 1]);
  assertEquals([0, 1, 2, 3].map((place) => context.interfaceName(place)), [
    undefined,
    "eth0",
    "lo",
    undefined,
  ]);
});

Deno.test("RecordedContext keeps the paths of cgroups", () => {
  const context = new RecordedContext();
  context.setCgroupPath(7, "/a");
  assertEquals([context.cgroupPath(7), context.cgroupPath(8)], ["/a", undefined]);
});

Deno.test("RecordedContext keeps containers part by part", () => {
  const context = new RecordedContext();
  context.setContainerId(7, "ab");
  context.setContainerName(7, "web");
  context.setContainerName(8, "db");
  assertEquals([7, 8, 9].map((cgroup) => context.container(cgroup)), [
    { id: "ab", name: "web" },
    { name: "db" },
    undefined,
  ]);
});

Deno.test("CurrentContext says what the context says that it stands for now", () => {
  let current: RecordContext = CONTEXT;
  const context = new CurrentContext(() => current);
  const says = ({ host, hostId, tracer, ...rest }: RecordContext) => [
    [host, hostId, tracer],
    [0, 1, 2].map((place) => [rest.interfaceName(place), rest.netnsOf?.(place)]),
    [1, 5, 8231].map((id) => [rest.cgroupPath?.(id), rest.container?.(id)]),
  ];
  const now = () => {
    const { host, hostId, tracer } = context;
    return says({
      host,
      hostId,
      tracer,
      interfaceName: (place) => context.interfaceName(place),
      netnsOf: (place) => context.netnsOf(place),
      cgroupPath: (id) => context.cgroupPath(id),
      container: (cgroup) => context.container(cgroup),
    });
  };
  assertEquals(now(), says(CONTEXT));
  current = { host: "reader", interfaceName: () => undefined };
  assertEquals(now(), says(current));
});

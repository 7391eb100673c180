import { assertEquals } from "@std/assert";
import {
  containerLabel,
  containerOfEnd,
  hasOnlyId,
  netnsLabel,
  unitOfEnd,
  Whereabouts,
} from "../../../src/output/whereabouts.ts";
import { makeHandshake } from "../record/sample_handshakes.ts";

const process = (cgroup?: number) => ({ pid: 1, comm: "a", uid: 0, cgroup });

function handshakeOf(client?: number, server?: number, netns?: number, place = 0) {
  return makeHandshake({
    client: { address: "10.0.0.1", process: process(client) },
    server: { address: "10.0.0.2", process: process(server) },
    netns,
    place,
  });
}

Deno.test("containerLabel is the name, else the start of the id", () => {
  assertEquals(containerLabel({ id: "3f9a".repeat(16), name: "web" }), "web");
  assertEquals(containerLabel({ id: "3f9a".repeat(16) }), "3f9a3f9a3f9a");
  assertEquals(containerLabel({}), undefined);
});

Deno.test("hasOnlyId tells whether a container has a name", () => {
  const context = { container: (id: number) => [{ id: "3f9a" }, { id: "3f9a", name: "web" }][id] };
  const has = (cgroup?: number) => hasOnlyId(handshakeOf(cgroup).client, context);
  assertEquals([has(0), has(1), has(2), has()], [true, false, false, false]);
});

Deno.test("containerOfEnd and unitOfEnd say nothing where nothing is known", () => {
  const { client } = handshakeOf(1);
  const none = handshakeOf().client;
  const context = {
    container: (id: number) => id === 1 ? { name: "web" } : undefined,
    cgroupPath: (id: number) => ["/", "/a.slice/b c.service"][id],
  };
  assertEquals([client, none].map((end) => containerOfEnd(end, context)), ["web", ""]);
  assertEquals([client, none].map((end) => unitOfEnd(end, context)), ["b c.service", ""]);
  assertEquals([0, 7].map((id) => unitOfEnd(handshakeOf(id).client, context)), ["", ""]);
  assertEquals([containerOfEnd(client, {}), unitOfEnd(client, {})], ["", ""]);
  assertEquals(containerOfEnd(client, { container: () => ({}) }), "");
});

Deno.test("netnsLabel is a name, else the number, of the socket or of where packets came by", () => {
  const context = {
    netnsName: (netns: number) => netns === 1 ? "" : netns === 2 ? "blue" : undefined,
    netnsOf: (place: number) => place === 5 ? 2 : undefined,
    container: (id: number) => id === 1 ? { name: "web" } : undefined,
  };
  const label = (...args: Parameters<typeof handshakeOf>) =>
    netnsLabel(handshakeOf(...args), context);
  assertEquals([label(0, 0, 1), label(0, 0, 2), label(0, 0, 3)], ["", "blue", "3"]);
  assertEquals([label(0, 0, undefined, 5), label(), label(0, 0, 3, 5)], ["blue", "", "3"]);
  assertEquals([label(1, 0, 3), label(0, 1, 3)], ["", ""]);
});

Deno.test("Whereabouts knows when there are several", () => {
  const where = new Whereabouts();
  const several = () => [where.severalNetns, where.severalCgroups];
  for (const handshake of [handshakeOf(), handshakeOf(1, undefined, 7), handshakeOf(1, 1, 7)]) {
    where.take(handshake, {});
    assertEquals(several(), [false, false]);
  }
  where.take(handshakeOf(1, 2), {});
  assertEquals(several(), [false, true]);
  where.take(handshakeOf(1, 1, undefined, 3), { netnsOf: () => 8 });
  where.take(handshakeOf(1, 1, 7), {});
  assertEquals(several(), [true, true]);
});

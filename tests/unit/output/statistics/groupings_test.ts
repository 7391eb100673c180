import { assertEquals } from "@std/assert";
import {
  clientName,
  GROUPINGS,
  namesOf,
  serverName,
} from "../../../../src/output/statistics/groupings.ts";
import { makeHandshake } from "../../record/sample_handshakes.ts";

const CONTEXT = {
  cgroupPath: (id: number) => id === 9 ? undefined : `/c${id}`,
  container: (id: number) =>
    id === 1
      ? { id: "3f9a".repeat(16) }
      : id === 2
      ? { id: "0".repeat(64), name: "web" }
      : undefined,
};
const CURL = { pid: 1, comm: "curl", uid: 0, cgroup: 1 };

Deno.test("namesOf tells every name of a handshake, each once", () => {
  const namesByGrouping = (handshake: ReturnType<typeof makeHandshake>) =>
    GROUPINGS.map((grouping) => namesOf(grouping, handshake, CONTEXT));
  assertEquals(
    namesByGrouping(makeHandshake({
      client: { address: "10.0.0.1", port: 40_000, process: CURL },
      server: { address: "2001:db8::2", port: 443, process: { ...CURL, comm: "nginx", cgroup: 2 } },
      reason: "A",
      resetReason: "B",
      dropReason: "A",
    })),
    [
      ["[2001:db8::2]:443"],
      ["10.0.0.1"],
      ["curl", "nginx"],
      ["3f9a3f9a3f9a", "web"],
      ["/c1", "/c2"],
      ["A", "B"],
    ],
  );
  assertEquals(
    namesByGrouping(makeHandshake({
      client: { address: "10.0.0.1", process: CURL },
      server: { address: "10.0.0.2", port: 80, process: { ...CURL, cgroup: 9 } },
    })),
    [["10.0.0.2:80"], ["10.0.0.1"], ["curl"], ["3f9a3f9a3f9a"], ["/c1"], []],
  );
});

Deno.test("serverName and clientName tell addresses and ports apart, more than they keep, twice", () => {
  const addresses = ["10.0.0.1", "10.0.0.2", "::a00:1", "2001:db8::1"];
  for (let round = 0; round < 2; round++) {
    for (let port = 1; port <= 9_000; port++) {
      const address = addresses[port % addresses.length];
      const handshake = makeHandshake({ client: { address }, server: { address, port } });
      assertEquals(clientName(handshake), address);
      const expected = address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
      assertEquals(serverName(handshake), expected);
    }
  }
});

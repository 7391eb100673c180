import { assertEquals } from "@std/assert";
import { endpointFields } from "../../../src/record/endpoint_fields.ts";
import { Handshake } from "../../../src/match/handshake.ts";
import { CONTEXT } from "./sample_handshakes.ts";

Deno.test("endpointFields are of the end that they are asked for", () => {
  const handshake = new Handshake();
  handshake.client.port = 1;
  handshake.server.port = 2;
  handshake.server.process = { pid: 3, comm: "nginx", uid: 4, cgroup: 5 };
  const valuesOf = (end: "client" | "server") =>
    Object.fromEntries(
      endpointFields(end, "SYN").map((field) => [field.path, field.get(handshake, CONTEXT)]),
    );
  const client = valuesOf("client");
  const server = valuesOf("server");
  assertEquals([client["client.port"], server["server.port"]], [1, 2]);
  assertEquals([client["client.process.pid"], server["server.process.pid"]], [undefined, 3]);
  assertEquals([server["server.process.comm"], server["server.process.cgroup"]], ["nginx", 5]);
  assertEquals(
    Object.keys(client),
    Object.keys(server).map((path) => path.replace("server", "client")),
  );
});

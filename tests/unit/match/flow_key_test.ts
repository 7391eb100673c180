import { assertEquals } from "@std/assert";
import { FlowKey } from "../../../src/match/flow_key.ts";
import { end } from "./traffic.ts";

const ONE = end("192.0.2.1", 50_000);
const OTHER = end("2001:db8::2", 443);
const PACKET = {
  source: ONE.address,
  sourcePort: ONE.port,
  destination: OTHER.address,
  destinationPort: OTHER.port,
};

Deno.test("FlowKey takes the sender of a packet for the client, or for the server", () => {
  const key = new FlowKey();
  const ofClient = new FlowKey().set(ONE.address, ONE.port, OTHER.address, OTHER.port);
  const ofServer = new FlowKey().set(OTHER.address, OTHER.port, ONE.address, ONE.port);
  assertEquals(key.sentByClient(PACKET), ofClient);
  assertEquals(key.sentByServer(PACKET), ofServer);
  assertEquals([ofClient.client, ofClient.server], [ONE.address, OTHER.address]);
});

Deno.test("FlowKey keeps both ports in one signed number", () => {
  const ports = (client: number, server: number) =>
    new FlowKey().set(ONE.address, client, OTHER.address, server).ports;
  assertEquals([ports(1, 2), ports(65_535, 65_535), ports(0, 0)], [65_538, -1, 0]);
});

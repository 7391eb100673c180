import { assertEquals } from "@std/assert";
import { ByteText } from "../../../src/text/byte_text.ts";
import { end } from "../match/traffic.ts";
import type { RecordContext } from "../../../src/record/record_context.ts";
import { NETWORK_FIELDS } from "../../../src/record/network_fields.ts";
import { Handshake } from "../../../src/match/handshake.ts";

const NAMES = ["", "eth0", "", "br0"];
const CONTEXT: RecordContext = {
  host: "h",
  interfaceName: (index) => NAMES[index] || undefined,
  netnsOf: (place) => place === 1 ? 4_026_531_840 : undefined,
};

function valueOf(path: string, values: Partial<Handshake>): unknown {
  const field = NETWORK_FIELDS.find((field) => field.path === path)!;
  const value = field.get(Object.assign(new Handshake(), values), CONTEXT);
  // One that is written as bytes is filled anew for the next.
  return value instanceof ByteText ? String(value) : value;
}

Deno.test("network.interfaces lists several places by those of their names that are known", () => {
  const cases = [
    { interfaces: [], expected: undefined },
    { interfaces: [1], expected: undefined },
    { interfaces: [3, 1], expected: ["br0", "eth0"] },
    { interfaces: [1, 2, 3], expected: ["eth0", "br0"] },
    { interfaces: [2, 4], expected: undefined },
  ];
  for (const { interfaces, expected } of cases) {
    assertEquals(valueOf("network.interfaces", { interfaces }), expected);
  }
});

Deno.test("network.netns is that of the socket before that of the interface", () => {
  const cases = [
    { netns: 7, place: 1, expected: 7 },
    { netns: undefined, place: 1, expected: 4_026_531_840 },
    { netns: undefined, place: 0, expected: undefined },
  ];
  for (const { expected, ...values } of cases) {
    assertEquals(valueOf("network.netns", values), expected);
  }
});

Deno.test("network.translated is the other tuple, and absent where there is none", () => {
  const translated = { client: end("192.0.2.1", 1), server: end("2001:db8::1", 2) };
  const paths = ["client.address", "client.port", "server.address", "server.port"];
  const values = (of: typeof translated | undefined) =>
    paths.map((path) => valueOf(`network.translated.${path}`, { translated: of }));
  assertEquals(values(translated), ["192.0.2.1", 1, "2001:db8::1", 2]);
  assertEquals(values(undefined), [undefined, undefined, undefined, undefined]);
});

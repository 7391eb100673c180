import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  type LinkMessages,
  parseLinkMessages,
  RTM_DELLINK,
  RTM_NEWLINK,
} from "../../../../src/linux/netns/link_messages.ts";

const IFLA_MTU = 4;
const IFLA_IFNAME = 3;
const NLA_F_NESTED = 0x8000;
const IFLA_PROP_LIST = 52 | NLA_F_NESTED;
const IFLA_ALT_IFNAME = 53;

/** Bytes in parts, each begun at a multiple of four. */
function join(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes: number[] = [];
  for (const part of parts) {
    bytes.push(...part);
    while (bytes.length % 4 !== 0) bytes.push(0);
  }
  return Uint8Array.from(bytes);
}

function little(size: 2 | 4, ...values: number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(size * values.length));
  values.forEach((value, at) =>
    size === 2 ? view.setUint16(at * 2, value, true) : view.setUint32(at * 4, value, true)
  );
  return new Uint8Array(view.buffer);
}

function attribute(type: number, payload: Uint8Array): Uint8Array {
  return Uint8Array.from([...little(2, 4 + payload.length, type), ...payload]);
}

const text = (value: string) => new TextEncoder().encode(value + "\0");

function message(type: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const body = join(...parts);
  return join(little(4, 16 + body.length), little(2, type, 0), little(4, 7, 8), body)
    .subarray(0, 16 + body.length);
}

interface Told {
  index: number;
  flags?: number;
  family?: number;
}

/** `struct ifinfomsg`. */
function info({ index, flags = 0, family = 0 }: Told): Uint8Array {
  return join(Uint8Array.of(family, 0, 1, 0), little(4, index, flags, 0));
}

function parse(...messages: readonly Uint8Array[]): LinkMessages {
  const bytes = join(...messages);
  return parseLinkMessages(new DataView(bytes.buffer));
}

const eth0 = message(
  RTM_NEWLINK,
  info({ index: 2, flags: 0x1043 }),
  attribute(IFLA_MTU, little(4, 1500)),
  attribute(IFLA_IFNAME, text("eth0")),
  attribute(
    IFLA_PROP_LIST,
    join(attribute(IFLA_ALT_IFNAME, text("enp0s3")), attribute(IFLA_ALT_IFNAME, text("lan"))),
  ),
);

Deno.test("parseLinkMessages reads index, names and whether it is up", () => {
  assertEquals(parse(eth0), {
    messages: [{
      link: { index: 2, name: "eth0", otherNames: ["enp0s3", "lan"], isUp: true },
      isGone: false,
    }],
    isEnd: false,
  });
});

Deno.test("parseLinkMessages reads several messages and the end of an answer", () => {
  const veth = [info({ index: 70_000, flags: 0x1042 }), attribute(IFLA_IFNAME, text("veth"))];
  const done = message(3, little(4, 0));
  const { messages, isEnd } = parse(eth0, message(RTM_DELLINK, ...veth), done);
  assert(isEnd);
  assertEquals(messages.map(({ link, isGone }) => [link.index, link.name, link.isUp, isGone]), [
    [2, "eth0", true, false],
    [70_000, "veth", false, true],
  ]);
  assert(parse(message(2, little(4, 0xffffffff))).isEnd);
});

Deno.test("parseLinkMessages leaves out a bridge's words about its ports", () => {
  const AF_BRIDGE = 7;
  const left = message(
    RTM_DELLINK,
    info({ index: 2, family: AF_BRIDGE }),
    attribute(IFLA_IFNAME, text("eth0")),
  );
  assertEquals(parse(left, eth0).messages.map(({ isGone }) => isGone), [false]);
});

Deno.test("parseLinkMessages leaves out what it does not understand", () => {
  assertEquals(parse().messages, []);
  assertEquals(parse(message(RTM_NEWLINK, info({ index: 2 }))).messages, []);
  assertEquals(parse(message(20, info({ index: 2 }), attribute(3, text("a")))).messages, []);
  // What follows is found by the length that each message says.
  assertEquals(parse(message(99, little(4, 1, 2, 3)), eth0).messages.length, 1);
});

Deno.test("parseLinkMessages never throws, whatever is cut off or wrong", () => {
  const whole = join(eth0, eth0);
  const damage = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 6 });
  fc.assert(fc.property(damage, fc.nat(whole.length), (changes, length) => {
    const bytes = whole.slice();
    for (const [at, byte] of changes) bytes[at] = byte;
    const { messages } = parseLinkMessages(new DataView(bytes.buffer, 0, length));
    assert(messages.length <= 3);
  }));
});

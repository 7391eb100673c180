import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { readListening } from "../../../../src/linux/listeners/socket_diag.ts";
import { formatAddress } from "../../../../src/wire/address.ts";

/** Attributes of linux/inet_diag.h. */
const INET_DIAG_SHUTDOWN = 8;
const INET_DIAG_CGROUP_ID = 21;
const INET_DIAG_SOCKOPT = 22;

/** What `struct inet_diag_msg` holds, as the kernel fills it for `ss -l`. */
interface Message {
  family: 2 | 10;
  state?: number;
  port: number;
  address: number[];
  device?: number;
  uid?: number;
  inode: number;
  attributes?: [type: number, value: number[]][];
  /** Type of the netlink message. */
  type?: number;
}

function build(message: Message): Uint8Array {
  const attributes = (message.attributes ?? []).flatMap(([type, value]) => {
    const length = 4 + value.length;
    const bytes = [length, 0, type, 0, ...value];
    return [...bytes, ...new Array((4 - bytes.length % 4) % 4).fill(0)];
  });
  const bytes = new Uint8Array(16 + 72 + attributes.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length, true);
  view.setUint16(4, message.type ?? 20, true);
  bytes[16] = message.family;
  bytes[17] = message.state ?? 10;
  view.setUint16(20, message.port);
  bytes.set(message.address, 24);
  view.setUint32(56, message.device ?? 0, true);
  view.setUint32(80, message.uid ?? 0, true);
  view.setUint32(84, message.inode, true);
  bytes.set(attributes, 88);
  return bytes;
}

/** The end of an answer: NLMSG_DONE and a status. */
const DONE = new Uint8Array([20, 0, 0, 0, 3, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);

function joined(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(parts.flatMap((part) => [...part]));
}

const PROXY: Message = {
  family: 2,
  port: 3128,
  address: [192, 0, 2, 1],
  device: 7,
  uid: 13,
  inode: 4_294_967_295,
  attributes: [
    [INET_DIAG_SHUTDOWN, [0]],
    [INET_DIAG_CGROUP_ID, [0x34, 0, 0, 0, 0x12, 0, 0, 0]],
    [INET_DIAG_SOCKOPT, [0x32, 0]],
  ],
};

function read(bytes: Uint8Array) {
  const { sockets, ended } = readListening(bytes, 4);
  return { ended, sockets: sockets.map((it) => ({ ...it, address: formatAddress(it.address) })) };
}

Deno.test("readListening reads the sockets of an answer, with what it says of each", () => {
  const ipv6 = { family: 10, port: 80, address: new Array(16).fill(0), inode: 5 } as const;
  const usual = { ...ipv6, attributes: [[INET_DIAG_SOCKOPT, [0x02, 0]]] } as Message;
  const proxy = {
    netns: 4,
    address: "192.0.2.1",
    port: 3128,
    inode: 4_294_967_295,
    device: 7,
    transparent: true,
    uid: 13,
    cgroup: 0x12_0000_0034,
  };
  const other = {
    netns: 4,
    address: "::",
    port: 80,
    inode: 5,
    device: 0,
    transparent: false,
    uid: 0,
    cgroup: undefined,
  };
  assertEquals(read(joined(build(PROXY), build(ipv6))), { sockets: [proxy, other], ended: false });
  assertEquals(read(joined(build(usual), DONE)), { sockets: [other], ended: true });
});

Deno.test("readListening leaves out what is no listening socket", () => {
  const cases: Message[] = [
    { ...PROXY, state: 1 },
    // Nobody has a descriptor of it.
    { ...PROXY, inode: 0 },
    { ...PROXY, type: 16 },
  ];
  for (const message of cases) assertEquals(read(build(message)), { sockets: [], ended: false });
});

Deno.test("readListening ends with a refusal, an empty answer and one that is cut", () => {
  const refusal = joined(build({ ...PROXY, type: 2 }), build(PROXY));
  const cut = joined(build(PROXY), build(PROXY).subarray(0, 100));
  assertEquals(read(refusal), { sockets: [], ended: true });
  assertEquals(read(new Uint8Array()), { sockets: [], ended: true });
  assertEquals([read(cut).sockets.length, read(cut).ended], [1, true]);
  const short = build(PROXY);
  short[0] = 15;
  assertEquals(read(short), { sockets: [], ended: true });
});

Deno.test("readListening reads any bytes", () => {
  const whole = joined(build(PROXY), build(PROXY), DONE);
  const change = fc.tuple(fc.nat({ max: whole.length - 1 }), fc.nat({ max: 255 }));
  fc.assert(fc.property(fc.array(change, { maxLength: 12 }), fc.nat(), (changes, cut) => {
    const bytes = whole.slice(0, cut % (whole.length + 1));
    for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
    for (const { address, port } of readListening(bytes, 1).sockets) {
      assertEquals([address.length, port >= 0 && port <= 65_535], [4, true]);
    }
  }));
});

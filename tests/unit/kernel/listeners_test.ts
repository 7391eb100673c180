import { assertEquals } from "@std/assert";
import type { KernelListener } from "../../../src/kernel/kernel_record.ts";
import { type Arrival, Listeners, type ListeningSocket } from "../../../src/kernel/listeners.ts";
import { parseAddress } from "../../../src/wire/address.ts";

const NETNS = 4_026_531_833;
const PORT = 8080;
const MS = 1_000_000;

function address(text: string): Uint32Array {
  return parseAddress(text)!;
}

/** A listening socket as the kernel lists it. */
function socket(inode: number, on: string, rest: Partial<ListeningSocket> = {}): ListeningSocket {
  return {
    netns: NETNS,
    address: address(on),
    port: PORT,
    inode,
    device: 0,
    transparent: false,
    uid: 33,
    cgroup: 77,
    ...rest,
  };
}

/** Listeners that were there before the tool. */
function older(...sockets: ListeningSocket[]): Listeners {
  const listeners = new Listeners();
  for (const { netns } of sockets) {
    listeners.list(netns, sockets.filter((each) => each.netns === netns), -Infinity, 0, 0);
  }
  return listeners;
}

/** A LISTEN transition of a socket. */
function transition(
  inode: number,
  on: string,
  endNs: number,
  rest: Partial<KernelListener> = {},
): KernelListener {
  return {
    kind: "listener",
    oldState: 7,
    newState: 10,
    local: address(on),
    localPort: PORT,
    endNs,
    pid: 10,
    comm: "server",
    thread: undefined,
    isKernel: false,
    uid: 33,
    netns: NETNS,
    cgroup: 77,
    inode,
    device: 0,
    ...rest,
  };
}

/** The inode numbers of those that can have taken a connection. */
function find(listeners: Listeners, local: string, rest: Partial<Arrival> = {}): number[] {
  const arrival = { netns: NETNS, local: address(local), localPort: PORT, endNs: 0, ...rest };
  return listeners.find(arrival).map(({ inode }) => inode).toSorted((a, b) => a - b);
}

Deno.test("Listeners fits addresses as the kernel does", () => {
  const cases: { on: string; local: string; found: boolean }[] = [
    { on: "192.0.2.1", local: "192.0.2.1", found: true },
    { on: "192.0.2.1", local: "192.0.2.2", found: false },
    { on: "0.0.0.0", local: "192.0.2.1", found: true },
    { on: "0.0.0.0", local: "2001:db8::1", found: false },
    { on: "::", local: "192.0.2.1", found: true },
    { on: "::", local: "2001:db8::1", found: true },
    { on: "2001:db8::1", local: "2001:db8::1", found: true },
    { on: "2001:db8::1", local: "2001:db8::2", found: false },
    { on: "::1", local: "2001:db8::1", found: false },
    { on: "::ffff:0:0:0", local: "192.0.2.1", found: false },
  ];
  for (const { on, local, found } of cases) {
    assertEquals(find(older(socket(10, on)), local), found ? [10] : [], `${on} for ${local}`);
  }
});

Deno.test("Listeners prefers the exact address to 0.0.0.0 to ::, in any order", () => {
  const all = [socket(3, "192.0.2.1"), socket(2, "0.0.0.0"), socket(1, "::")];
  const orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
  for (const order of orders) {
    const listeners = older(...order.map((index) => all[index]));
    assertEquals(find(listeners, "192.0.2.1"), [3], order.join());
    assertEquals(find(listeners, "192.0.2.2"), [2], order.join());
    assertEquals(find(listeners, "2001:db8::1"), [1], order.join());
  }
});

Deno.test("Listeners keeps network namespaces and ports apart", () => {
  const listeners = older(
    socket(10, "0.0.0.0"),
    socket(11, "0.0.0.0", { netns: NETNS + 1 }),
    socket(12, "0.0.0.0", { port: PORT + 1 }),
    // A key that mixed both up would be the same for these two.
    socket(13, "0.0.0.0", { netns: NETNS - 1, port: 65_535 }),
    socket(14, "0.0.0.0", { netns: NETNS, port: 0 }),
  );
  const at = (netns: number, localPort: number) =>
    find(listeners, "192.0.2.1", { netns, localPort });
  assertEquals(at(NETNS, PORT), [10]);
  assertEquals(at(NETNS + 1, PORT), [11]);
  assertEquals(at(NETNS, PORT + 1), [12]);
  assertEquals(at(NETNS - 1, 65_535), [13]);
  assertEquals(at(NETNS, 0), [14]);
  assertEquals(at(NETNS + 1, PORT + 1), []);
});

Deno.test("Listeners finds all that share a port, and the one whose socket is named", () => {
  const listeners = older(
    socket(1, "0.0.0.0"),
    socket(2, "0.0.0.0"),
    socket(3, "192.0.2.1"),
  );
  listeners.take(transition(4, "0.0.0.0", 100 * MS), true);
  assertEquals(find(listeners, "192.0.2.9"), [1, 2]);
  assertEquals(find(listeners, "192.0.2.9", { endNs: 200 * MS }), [1, 2, 4]);
  for (const listener of [1, 2, 3]) {
    assertEquals(find(listeners, "192.0.2.9", { listener }), [listener]);
    // Where it was made to does not count: TPROXY and a program at the socket lookup choose freely.
    const elsewhere = { listener, localPort: 443 };
    assertEquals(find(listeners, "198.51.100.1", elsewhere), [listener]);
  }
  // Not yet, and one that nobody told of: what address and port say is another's.
  assertEquals(find(listeners, "192.0.2.9", { listener: 4, endNs: 50 * MS }), []);
  assertEquals(find(listeners, "192.0.2.9", { listener: 5 }), []);
});

Deno.test("Listeners goes by the interface that a listener is bound to", () => {
  const [LO, ETH] = [1, 2];
  const onLoopback = socket(1, "192.0.2.1", { device: LO });
  const onCable = socket(2, "0.0.0.0", { device: ETH });
  const onAll = socket(3, "0.0.0.0");
  const cases: { sockets: ListeningSocket[]; devices?: number[]; expected: number[] }[] = [
    { sockets: [onLoopback, onCable], devices: [LO], expected: [1] },
    { sockets: [onLoopback, onCable], devices: [ETH], expected: [2] },
    { sockets: [onLoopback, onCable], devices: [LO, ETH], expected: [1] },
    { sockets: [onLoopback, onCable], devices: [], expected: [] },
    { sockets: [onAll, onCable], devices: [ETH], expected: [2] },
    { sockets: [onAll, onCable], devices: [LO], expected: [3] },
    { sockets: [onAll, onCable], devices: [], expected: [3] },
    // Where the connection's interface is not known, each may have taken it.
    { sockets: [onLoopback, onCable], expected: [1, 2] },
    { sockets: [onAll, onCable], expected: [2, 3] },
    { sockets: [onAll, onLoopback], expected: [1, 3] },
    { sockets: [onCable], expected: [2] },
    // And where that of the listener is not known.
    { sockets: [{ ...onLoopback, device: undefined }, onAll], devices: [ETH], expected: [1, 3] },
  ];
  for (const { sockets, devices, expected } of cases) {
    for (const order of [sockets, sockets.toReversed()]) {
      const inodes = order.map(({ inode }) => inode);
      assertEquals(find(older(...order), "192.0.2.1", { devices }), expected, `${inodes}`);
    }
  }
});

Deno.test("Listeners goes by the owner and the cgroup, which a connection has from its listener", () => {
  const listeners = older(
    socket(1, "0.0.0.0", { uid: 33, cgroup: 5 }),
    socket(2, "0.0.0.0", { uid: 34, cgroup: 5 }),
    socket(3, "0.0.0.0", { uid: 34, cgroup: 6 }),
    socket(4, "0.0.0.0", { uid: 35, cgroup: undefined }),
  );
  assertEquals(find(listeners, "192.0.2.1"), [1, 2, 3, 4]);
  assertEquals(find(listeners, "192.0.2.1", { uid: 33 }), [1]);
  assertEquals(find(listeners, "192.0.2.1", { uid: 34 }), [2, 3]);
  assertEquals(find(listeners, "192.0.2.1", { uid: 34, cgroup: 6 }), [3]);
  assertEquals(find(listeners, "192.0.2.1", { uid: 33, cgroup: 6 }), []);
  assertEquals(find(listeners, "192.0.2.1", { uid: 35, cgroup: 6 }), [4]);
});

Deno.test("Listeners doubts where a listener takes connections to other ports", () => {
  const proxy = socket(9, "0.0.0.0", { port: 3128, transparent: true, uid: 13 });
  const listeners = older(socket(1, "0.0.0.0"), proxy);
  assertEquals(find(listeners, "192.0.2.1"), [1, 9]);
  // Its own port leaves no doubt, nor does another owner.
  assertEquals(find(listeners, "192.0.2.1", { localPort: 3128 }), [9]);
  assertEquals(find(listeners, "192.0.2.1", { uid: 33 }), [1]);
  assertEquals(find(listeners, "192.0.2.1", { uid: 33, localPort: 443 }), []);
  // Nobody is known at that port, and so nobody is named.
  assertEquals(find(listeners, "192.0.2.1", { localPort: 443 }), []);
  listeners.list(NETNS, [socket(1, "0.0.0.0"), { ...proxy, transparent: false }], 0, 1, 1);
  assertEquals(find(listeners, "192.0.2.1"), [1]);
  listeners.list(NETNS, [socket(1, "0.0.0.0"), proxy], 0, 1, 1);
  assertEquals(find(listeners, "192.0.2.1"), [1, 9]);
  listeners.take(transition(9, "0.0.0.0", 2 * MS, { localPort: 3128 }), false);
  assertEquals(find(listeners, "192.0.2.1", { endNs: 9 * MS }), [1]);
});

Deno.test("Listeners follows listen() and its end, with the slack of two CPUs' clocks", () => {
  const listeners = new Listeners();
  listeners.take(transition(1, "0.0.0.0", 100 * MS), true);
  listeners.take(transition(1, "0.0.0.0", 200 * MS), false);
  const cases = [
    { endNs: 99 * MS - 1, expected: [] },
    { endNs: 99 * MS, expected: [1] },
    { endNs: 100 * MS, expected: [1] },
    { endNs: 200 * MS, expected: [1] },
    { endNs: 201 * MS, expected: [1] },
    { endNs: 201 * MS + 1, expected: [] },
  ];
  for (const { endNs, expected } of cases) {
    assertEquals(find(listeners, "192.0.2.1", { endNs }), expected, String(endNs));
    assertEquals(find(listeners, "192.0.2.1", { endNs, listener: 1 }), expected, String(endNs));
  }
  assertEquals(listeners.open.size, 0);
});

Deno.test("Listeners finds on a port who begins to listen there after it was asked for", () => {
  const listeners = new Listeners();
  assertEquals(find(listeners, "192.0.2.1"), []);
  listeners.take(transition(1, "0.0.0.0", 0), true);
  assertEquals(find(listeners, "192.0.2.1"), [1]);
  listeners.take(transition(2, "192.0.2.1", 0), true);
  assertEquals(find(listeners, "192.0.2.1"), [2]);
  assertEquals(find(listeners, "192.0.2.1", { localPort: PORT + 1 }), []);
  assertEquals(find(listeners, "192.0.2.2"), [1]);
});

Deno.test("Listeners follows a clock that is set", () => {
  const listeners = older(socket(2, "192.0.2.2"));
  listeners.take(transition(1, "0.0.0.0", 100 * MS), true);
  listeners.clockSet(-90 * MS);
  assertEquals(find(listeners, "192.0.2.1", { endNs: 11 * MS }), [1]);
  assertEquals(find(listeners, "192.0.2.2", { endNs: 1 * MS }), [2]);
  listeners.take(transition(1, "0.0.0.0", 20 * MS), false);
  assertEquals(find(listeners, "192.0.2.1", { endNs: 30 * MS }), []);
});

Deno.test("Listeners closes the socket that ends, not its neighbours", () => {
  const listeners = older(socket(1, "0.0.0.0"), socket(2, "0.0.0.0"));
  listeners.take(transition(3, "0.0.0.0", 0), true);
  // By a process that nobody knew of: a child that inherited it.
  listeners.take(transition(2, "0.0.0.0", 10 * MS, { pid: 99 }), false);
  assertEquals(find(listeners, "192.0.2.1", { endNs: 20 * MS }), [1, 3]);
  assertEquals(find(listeners, "192.0.2.1", { endNs: 5 * MS }), [1, 2, 3]);
  listeners.take(transition(4, "0.0.0.0", 10 * MS), false);
  assertEquals(find(listeners, "192.0.2.1", { endNs: 20 * MS }), [1, 3]);
  assertEquals([...listeners.open.keys()], [1, 3]);
});

Deno.test("Listeners never forgets one that is open because others on its port were closed", () => {
  const listeners = older(socket(1, "192.0.2.1"));
  for (let inode = 2; inode < 500; inode++) {
    listeners.take(transition(inode, "0.0.0.0", inode * MS), true);
    listeners.take(transition(inode, "0.0.0.0", inode * MS), false);
  }
  assertEquals(find(listeners, "192.0.2.1", { endNs: 500 * MS }), [1]);
  assertEquals(find(listeners, "192.0.2.2", { endNs: 499 * MS }), [498, 499]);
});

Deno.test("Listeners keeps the start of a listener that a list told of first", () => {
  const listeners = older(socket(1, "0.0.0.0"));
  const begin = transition(1, "0.0.0.0", 100 * MS);
  assertEquals(listeners.take(begin, true)?.begin, begin);
  assertEquals(find(listeners, "192.0.2.1", { endNs: 50 * MS }), []);
  assertEquals(find(listeners, "192.0.2.1", { endNs: 150 * MS }), [1]);
  // A socket may listen again after shutdown(2).
  listeners.take(transition(1, "0.0.0.0", 200 * MS), true);
  assertEquals(find(listeners, "192.0.2.1", { endNs: 250 * MS }), [1]);
});

Deno.test("Listeners takes begin and end of a listener in any order", () => {
  const orders = [["begin", "end"], ["end", "begin"]];
  for (const lists of [0, 1, 2, 3]) {
    for (const order of orders) {
      const missed: number[] = [];
      const listeners = new Listeners(({ inode }) => missed.push(inode));
      const begin = transition(1, "0.0.0.0", 100 * MS);
      const end = transition(1, "0.0.0.0", 200 * MS);
      for (const [at, word] of order.entries()) {
        // First one list has it, then others lack it.
        for (let list = 0; at === 0 && list < lists; list++) {
          const atNs = (150 + 60 * list) * MS;
          listeners.list(NETNS, list === 0 ? [socket(1, "0.0.0.0")] : [], 0, atNs, atNs);
        }
        listeners.take(word === "begin" ? begin : end, word === "begin");
      }
      const what = `${lists} lists, ${order}`;
      assertEquals(missed, lists === 3 ? [1] : [], what);
      const found = [50, 150, 250].map((ms) => find(listeners, "192.0.2.1", { endNs: ms * MS }));
      assertEquals(found, [[], [1], []], what);
      const [known] = listeners.find({
        netns: NETNS,
        local: address("192.0.2.1"),
        localPort: PORT,
        endNs: 150 * MS,
      });
      assertEquals([known.begin, known.end, listeners.open.size], [begin, end, 0], what);
    }
  }
});

Deno.test("Listeners ends by a word that comes late the one that it is of", () => {
  const listeners = new Listeners();
  listeners.take(transition(1, "0.0.0.0", 100 * MS), true);
  listeners.take(transition(1, "0.0.0.0", 300 * MS), true);
  const end = transition(1, "0.0.0.0", 200 * MS);
  assertEquals(listeners.take(end, false)?.closedNs, 200 * MS);
  const found = [150, 250, 350].map((ms) => find(listeners, "192.0.2.1", { endNs: ms * MS }));
  assertEquals(found, [[1], [], [1]]);
  assertEquals(listeners.open.get(1)?.end, undefined);
});

Deno.test("Listeners takes no record that does not say which socket it is of", () => {
  const listeners = older(socket(1, "0.0.0.0"));
  assertEquals(listeners.take(transition(0, "0.0.0.0", 1), true), undefined);
  assertEquals(listeners.take(transition(0, "0.0.0.0", 2), false), undefined);
  assertEquals(find(listeners, "192.0.2.1", { endNs: 50 * MS }), [1]);
});

Deno.test("Listeners takes for gone what two lists lack, not what one may have missed", () => {
  const [one, two] = [socket(1, "0.0.0.0"), socket(2, "192.0.2.1")];
  const listeners = older(one, two);
  assertEquals(listeners.list(NETNS, [one], 0, 10 * MS, 11 * MS), true);
  assertEquals(find(listeners, "192.0.2.1", { endNs: 20 * MS }), [2]);
  assertEquals(listeners.list(NETNS, [one, two], 0, 20 * MS, 21 * MS), false);
  assertEquals(listeners.list(NETNS, [one], 0, 30 * MS, 31 * MS), true);
  assertEquals(listeners.list(NETNS, [one], 0, 40 * MS, 41 * MS), false);
  assertEquals(find(listeners, "192.0.2.1", { endNs: 50 * MS }), [1]);
  assertEquals(find(listeners, "192.0.2.1", { endNs: 35 * MS }), [2]);
  // Of other namespaces it says nothing, nor of what began to listen after it was begun.
  listeners.take(transition(3, "192.0.2.3", 60 * MS), true);
  assertEquals(listeners.list(NETNS, [one], 0, 50 * MS, 70 * MS), false);
  assertEquals(listeners.list(NETNS + 1, [], 0, 80 * MS, 81 * MS), false);
  assertEquals([...listeners.open.keys()], [1, 3]);
});

Deno.test("Listeners lets no list bring back what has ended meanwhile", () => {
  const listeners = new Listeners();
  const ended = transition(1, "0.0.0.0", 100 * MS);
  listeners.take(ended, false);
  listeners.list(NETNS, [socket(1, "0.0.0.0")], -Infinity, 90 * MS, 110 * MS);
  assertEquals(find(listeners, "192.0.2.1", { endNs: 150 * MS }), []);
  assertEquals(find(listeners, "192.0.2.1", { endNs: 50 * MS }), [1]);
  // A list that tells of an end before its record comes makes no second listener.
  const other = older(socket(1, "0.0.0.0"));
  other.list(NETNS, [], 0, 110 * MS, 111 * MS);
  other.list(NETNS, [], 0, 112 * MS, 113 * MS);
  assertEquals(other.take(ended, false)?.end, ended);
  assertEquals(find(other, "192.0.2.1", { endNs: 50 * MS }), [1]);
  assertEquals(find(other, "192.0.2.1", { endNs: 111 * MS }), []);
});

Deno.test("Listeners begins what a later list tells of with the list before", () => {
  const listeners = new Listeners();
  listeners.list(NETNS, [], -Infinity, 10 * MS, 10 * MS);
  listeners.list(NETNS, [socket(1, "0.0.0.0")], 10 * MS, 20 * MS, 20 * MS);
  assertEquals(find(listeners, "192.0.2.1", { endNs: 5 * MS }), []);
  assertEquals(find(listeners, "192.0.2.1", { endNs: 15 * MS }), [1]);
});

Deno.test("Listeners stays bounded on one port and remembers the latest", () => {
  const listeners = new Listeners();
  const total = 10_000;
  for (let inode = 1; inode <= total; inode++) {
    listeners.take(transition(inode, "192.0.2.1", 0), true);
  }
  const found = find(listeners, "192.0.2.1");
  assertEquals([found.length, found.at(-1), listeners.open.size], [4_096, total, 4_096]);
  for (const inode of found) listeners.take(transition(inode, "192.0.2.1", 1), false);
  assertEquals([find(listeners, "192.0.2.1").length, listeners.open.size], [64, 0]);
});

Deno.test("Listeners stays bounded over all ports, and forgets first where nobody listens", () => {
  const listeners = new Listeners();
  const total = 20_000;
  const record = (index: number) =>
    transition(index + 1, "0.0.0.0", 0, { netns: index >> 4, localPort: index & 15 });
  for (let index = 0; index < total; index++) {
    listeners.take(record(index), true);
    if (index % 2 === 1) listeners.take(record(index), false);
  }
  const at = (index: number) =>
    find(listeners, "192.0.2.1", { netns: index >> 4, localPort: index & 15 });
  let found = 0;
  for (let index = 0; index < total; index++) found += at(index).length;
  assertEquals(found, 16_384);
  assertEquals(listeners.open.size, total / 2);
  assertEquals([at(0), at(1), at(total - 1)], [[1], [], [total]]);
});

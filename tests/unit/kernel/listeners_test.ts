import { assertEquals } from "@std/assert";
import type { KernelHalf, KernelListener } from "../../../src/kernel/kernel_record.ts";
import { type Listener, Listeners } from "../../../src/kernel/listeners.ts";
import { parseAddress } from "../../../src/wire/address.ts";

const NETNS = 4_026_531_833;
const PORT = 8080;
const MS = 1_000_000;

function address(text: string): Uint32Array {
  return parseAddress(text)!;
}

/** A listener that was there before the tool. */
function older(pid: number, on: string, rest: Partial<Listener> = {}): Listener {
  return {
    netns: NETNS,
    address: address(on),
    port: PORT,
    pid,
    comm: `process-${pid}`,
    openedNs: -Infinity,
    closedNs: Infinity,
    ...rest,
  };
}

/** What a script says of a server's side. */
function record(local: string, endNs: number, rest: Partial<KernelHalf> = {}): KernelHalf {
  return {
    kind: "server",
    socket: 0n,
    oldState: 3,
    newState: 1,
    local: address(local),
    remote: address("192.0.2.9"),
    localPort: PORT,
    remotePort: 50_000,
    iss: 1,
    irs: 2,
    connectNs: undefined,
    synSentNs: undefined,
    endNs,
    synReceivedNs: undefined,
    listenerSocket: undefined,
    synCookie: undefined,
    pid: 0,
    comm: "",
    uid: 33,
    netns: NETNS,
    cgroup: 77,
    rttMinUs: undefined,
    retransmits: 0,
    error: 0,
    options: undefined,
    ...rest,
  };
}

/** A LISTEN transition of a socket. */
function listen(pid: number, on: string, socket: bigint, endNs: number): KernelListener {
  return {
    kind: "listener",
    socket,
    oldState: 7,
    newState: 10,
    local: address(on),
    localPort: PORT,
    endNs,
    pid,
    comm: `process-${pid}`,
    uid: 33,
    netns: NETNS,
    cgroup: 77,
  };
}

function pidOf(listeners: Listeners, local: string, endNs = 0): number | undefined {
  return listeners.find(record(local, endNs))?.pid;
}

Deno.test("Listeners finds the process, with the connection's own uid and cgroup", () => {
  const listeners = new Listeners();
  listeners.add(older(10, "192.0.2.1"));
  assertEquals(listeners.find(record("192.0.2.1", 5)), {
    pid: 10,
    comm: "process-10",
    uid: 33,
    cgroup: 77,
  });
});

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
    const listeners = new Listeners();
    listeners.add(older(10, on));
    assertEquals(pidOf(listeners, local), found ? 10 : undefined, `${on} for ${local}`);
  }
});

Deno.test("Listeners prefers the exact address to 0.0.0.0 to ::, in any order", () => {
  const all = [older(3, "192.0.2.1"), older(2, "0.0.0.0"), older(1, "::")];
  const orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
  for (const order of orders) {
    const listeners = new Listeners();
    for (const index of order) listeners.add(all[index]);
    assertEquals(pidOf(listeners, "192.0.2.1"), 3, order.join());
    assertEquals(pidOf(listeners, "192.0.2.2"), 2, order.join());
    assertEquals(pidOf(listeners, "2001:db8::1"), 1, order.join());
  }
});

Deno.test("Listeners keeps network namespaces and ports apart", () => {
  const listeners = new Listeners();
  listeners.add(older(10, "0.0.0.0"));
  listeners.add(older(11, "0.0.0.0", { netns: NETNS + 1 }));
  listeners.add(older(12, "0.0.0.0", { port: PORT + 1 }));
  // A key that mixed both up would be the same for these two.
  listeners.add(older(13, "0.0.0.0", { netns: NETNS - 1, port: 65_535 }));
  listeners.add(older(14, "0.0.0.0", { netns: NETNS, port: 0 }));
  const find = (netns: number, localPort: number) =>
    listeners.find(record("192.0.2.1", 0, { netns, localPort }))?.pid;
  assertEquals(find(NETNS, PORT), 10);
  assertEquals(find(NETNS + 1, PORT), 11);
  assertEquals(find(NETNS, PORT + 1), 12);
  assertEquals(find(NETNS - 1, 65_535), 13);
  assertEquals(find(NETNS, 0), 14);
  assertEquals(find(NETNS + 1, PORT + 1), undefined);
});

Deno.test("Listeners names nobody where several processes share a port", () => {
  for (const pids of [[10, 11], [10, 11, 12], [10, 11, 10], [10, 10, 11], [10, 11, 12, 12]]) {
    const listeners = new Listeners();
    for (const pid of pids) listeners.add(older(pid, "0.0.0.0"));
    assertEquals(pidOf(listeners, "192.0.2.1"), undefined, pids.join());
    // A closer listener is still one.
    listeners.add(older(20, "192.0.2.1"));
    assertEquals(pidOf(listeners, "192.0.2.1"), 20, pids.join());
  }
});

Deno.test("Listeners names the process that shares a port with itself", () => {
  const listeners = new Listeners();
  for (let socket = 0; socket < 4; socket++) listeners.add(older(10, "0.0.0.0"));
  assertEquals(pidOf(listeners, "192.0.2.1"), 10);
});

Deno.test("Listeners follows listen() and its end, with the slack of two CPUs' clocks", () => {
  const listeners = new Listeners();
  listeners.take(listen(10, "0.0.0.0", 1n, 100 * MS), true);
  listeners.take(listen(10, "0.0.0.0", 1n, 200 * MS), false);
  const cases = [
    { endNs: 99 * MS - 1, expected: undefined },
    { endNs: 99 * MS, expected: 10 },
    { endNs: 100 * MS, expected: 10 },
    { endNs: 200 * MS, expected: 10 },
    { endNs: 201 * MS, expected: 10 },
    { endNs: 201 * MS + 1, expected: undefined },
  ];
  for (const { endNs, expected } of cases) {
    assertEquals(pidOf(listeners, "192.0.2.1", endNs), expected, String(endNs));
  }
});

Deno.test("Listeners tells the process before from the one after on a port opened again", () => {
  const listeners = new Listeners();
  listeners.take(listen(10, "0.0.0.0", 1n, 100 * MS), true);
  listeners.take(listen(10, "0.0.0.0", 1n, 200 * MS), false);
  listeners.take(listen(11, "0.0.0.0", 1n, 300 * MS), true);
  assertEquals(pidOf(listeners, "192.0.2.1", 150 * MS), 10);
  assertEquals(pidOf(listeners, "192.0.2.1", 250 * MS), undefined);
  assertEquals(pidOf(listeners, "192.0.2.1", 350 * MS), 11);
});

Deno.test("Listeners names nobody within the slack of a quick change of hands", () => {
  const listeners = new Listeners();
  listeners.take(listen(10, "0.0.0.0", 1n, 100 * MS), true);
  listeners.take(listen(10, "0.0.0.0", 1n, 200 * MS), false);
  listeners.take(listen(11, "0.0.0.0", 2n, 200 * MS + 1), true);
  assertEquals(pidOf(listeners, "192.0.2.1", 200 * MS), undefined);
});

Deno.test("Listeners closes the socket that ends, not its neighbour", () => {
  const listeners = new Listeners();
  listeners.take(listen(10, "0.0.0.0", 1n, 0), true);
  listeners.take(listen(11, "0.0.0.0", 2n, 0), true);
  listeners.take(listen(10, "0.0.0.0", 1n, 10 * MS), false);
  assertEquals(pidOf(listeners, "192.0.2.1", 20 * MS), 11);
  assertEquals(pidOf(listeners, "192.0.2.1", 5 * MS), undefined);
});

Deno.test("Listeners closes a listener that was there before the tool", () => {
  const listeners = new Listeners();
  listeners.add(older(10, "0.0.0.0"));
  listeners.add(older(11, "192.0.2.1"));
  listeners.take(listen(11, "192.0.2.1", 5n, 10 * MS), false);
  assertEquals(pidOf(listeners, "192.0.2.1", 5 * MS), 11);
  assertEquals(pidOf(listeners, "192.0.2.1", 20 * MS), 10);
  listeners.take(listen(10, "0.0.0.0", 6n, 30 * MS), false);
  assertEquals(pidOf(listeners, "192.0.2.1", 40 * MS), undefined);
});

Deno.test("Listeners closes, of several that were there before, that of the process that ends", () => {
  const both = () => {
    const listeners = new Listeners();
    listeners.add(older(10, "0.0.0.0"));
    listeners.add(older(11, "0.0.0.0"));
    return listeners;
  };
  const known = both();
  known.take(listen(11, "0.0.0.0", 5n, 10 * MS), false);
  assertEquals(pidOf(known, "192.0.2.1", 20 * MS), 10);
  // Closed by a child that inherited it: which one ended cannot be told.
  const unknown = both();
  unknown.take(listen(12, "0.0.0.0", 5n, 10 * MS), false);
  assertEquals(pidOf(unknown, "192.0.2.1", 20 * MS), undefined);
});

Deno.test("Listeners takes the end of a listener it does not know for nothing", () => {
  const listeners = new Listeners();
  listeners.take(listen(10, "0.0.0.0", 1n, 10 * MS), false);
  listeners.add(older(11, "192.0.2.1"));
  listeners.take(listen(12, "0.0.0.0", 9n, 10 * MS), false);
  assertEquals(pidOf(listeners, "192.0.2.1", 20 * MS), 11);
});

Deno.test("Listeners finds the one that took the SYN, where several share a port", () => {
  const listeners = new Listeners();
  listeners.add(older(9, "0.0.0.0"));
  listeners.take(listen(10, "0.0.0.0", 1n, 100 * MS), true);
  listeners.take(listen(11, "0.0.0.0", 2n, 100 * MS), true);
  listeners.take(listen(12, "192.0.2.1", 3n, 100 * MS), true);
  const cases: { listenerSocket: bigint | undefined; endNs?: number; expected?: number }[] = [
    { listenerSocket: 1n, expected: 10 },
    { listenerSocket: 2n, expected: 11 },
    // Not the closest address.
    { listenerSocket: 3n, expected: 12 },
    { listenerSocket: undefined, expected: 12 },
    // One that nobody saw begin to listen: of those that were there before only one is left.
    { listenerSocket: 4n, expected: 9 },
    // Before the socket listened, its structure was another's.
    { listenerSocket: 1n, endNs: 50 * MS, expected: 9 },
  ];
  for (const { listenerSocket, endNs = 200 * MS, expected } of cases) {
    const found = listeners.find(record("192.0.2.1", endNs, { listenerSocket }));
    assertEquals(found?.pid, expected, `${listenerSocket} at ${endNs}`);
  }
});

Deno.test("Listeners tells who had a socket structure before from who has it now", () => {
  const listeners = new Listeners();
  listeners.take(listen(10, "0.0.0.0", 1n, 100 * MS), true);
  listeners.take(listen(10, "0.0.0.0", 1n, 200 * MS), false);
  listeners.take(listen(11, "0.0.0.0", 1n, 300 * MS), true);
  listeners.take(listen(12, "0.0.0.0", 2n, 100 * MS), true);
  const find = (endNs: number) =>
    listeners.find(record("192.0.2.1", endNs, { listenerSocket: 1n }))?.pid;
  assertEquals([find(150 * MS), find(250 * MS), find(350 * MS)], [10, undefined, 11]);
});

Deno.test("Listeners falls back to the address for those that were there before the tool", () => {
  const listeners = new Listeners();
  listeners.add(older(10, "0.0.0.0"));
  const half = record("192.0.2.1", 0, { listenerSocket: 7n });
  assertEquals(listeners.find(half)?.pid, 10);
  listeners.add(older(11, "0.0.0.0"));
  assertEquals(listeners.find(half), undefined);
});

Deno.test("Listeners stays bounded on one port and remembers the latest", () => {
  const listeners = new Listeners();
  const total = 100_000;
  for (let pid = 1; pid <= total; pid++) {
    // Each on an address of its own, so that each can be asked for.
    listeners.add(older(pid, "0.0.0.0", { address: new Uint32Array([0, 0, 0xffff, pid]) }));
  }
  let found = 0;
  for (let pid = 1; pid <= total; pid++) {
    const local = new Uint32Array([0, 0, 0xffff, pid]);
    if (listeners.find(record("0.0.0.0", 0, { local }))) found++;
  }
  assertEquals(found, 64);
  const last = new Uint32Array([0, 0, 0xffff, total]);
  assertEquals(listeners.find(record("0.0.0.0", 0, { local: last }))?.pid, total);
});

Deno.test("Listeners stays bounded over all ports and remembers the latest", () => {
  const listeners = new Listeners();
  const total = 100_000;
  for (let index = 0; index < total; index++) {
    listeners.add(older(index + 1, "0.0.0.0", { netns: index >> 4, port: index & 15 }));
  }
  const find = (index: number) =>
    listeners.find(record("192.0.2.1", 0, { netns: index >> 4, localPort: index & 15 }))?.pid;
  let found = 0;
  for (let index = 0; index < total; index++) if (find(index) !== undefined) found++;
  assertEquals(found, 16_384);
  assertEquals(find(0), undefined);
  assertEquals(find(total - 1), total);
});

Deno.test("Listeners that were closed all at once served before, and who is found then serves after", () => {
  const listeners = new Listeners();
  listeners.add(older(1, "::"));
  listeners.closeAll(50 * MS);
  assertEquals(listeners.find(record("192.0.2.1", 10 * MS))?.pid, 1);
  assertEquals(listeners.find(record("192.0.2.1", 60 * MS)), undefined);
  listeners.add(older(2, "::", { openedNs: 55 * MS }));
  assertEquals(listeners.find(record("192.0.2.1", 60 * MS))?.pid, 2);
  // Nobody's end moves to a later moment.
  listeners.closeAll(80 * MS);
  assertEquals(listeners.find(record("192.0.2.1", 60 * MS))?.pid, 2);
  assertEquals(listeners.find(record("192.0.2.1", 70 * MS))?.pid, 2);
  assertEquals(listeners.find(record("192.0.2.1", 90 * MS)), undefined);
});

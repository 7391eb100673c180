import { assertEquals } from "@std/assert";
import { ALL_FIT, check, isn, MS, P, SECOND, threePackets } from "./matcher_cases.ts";
import { type Event, run, type Snapshot } from "./traffic.ts";

/** Every order of some events. */
function orders(events: readonly Event[]): Event[][] {
  if (events.length < 2) return [[...events]];
  return events.flatMap((event, index) =>
    orders(events.toSpliced(index, 1)).map((rest) => [event, ...rest])
  );
}

Deno.test("Matcher makes one record of what wire and kernel tell, in any order", () => {
  const pieces: Event[] = [
    P.clientKernel(12 * MS, { connectNs: -1000 }),
    P.serverKernel(13 * MS, { synReceivedNs: 5 * MS }),
    P.syn(0),
    P.synAck(10 * MS),
    P.ack(11 * MS),
  ];
  const whole = {
    outcome: "established",
    role: "local",
    wire: true,
    kernel: true,
    timeNs: 0,
    connectNs: -1000,
    synReceivedNs: 5 * MS,
    establishedNs: 12 * MS,
    serverEstablishedNs: 13 * MS,
    clientRttNs: 10 * MS,
    serverRttNs: MS,
    ...ALL_FIT,
  } as const;
  const [clientKernel, serverKernel, syn, synAck, ack] = pieces;
  // The packets keep their order; the two halves come anywhere, in either order.
  for (let at = 0; at <= 3; at++) {
    for (let later = at; later <= 3; later++) {
      for (const [one, other] of [[clientKernel, serverKernel], [serverKernel, clientKernel]]) {
        const packets = [syn, synAck, ack];
        const events = [
          ...packets.slice(0, at),
          one,
          ...packets.slice(at, later),
          other,
          ...packets.slice(later),
        ];
        check([{ name: `${at} ${later}`, events, expected: [whole] }]);
        const { beforeFlush } = run(events);
        assertEquals(beforeFlush, 0, "it waits: who listened may be known a moment later");
      }
    }
  }
  const { wire, role } = { wire: false, role: "client" } as const;
  check([
    {
      name: "client alone",
      events: [clientKernel],
      expected: [{ outcome: "established", wire, role, client: isn(P.x), server: isn(P.y) }],
    },
    {
      name: "server alone",
      events: [serverKernel],
      expected: [{
        outcome: "established",
        wire,
        role: "server",
        client: isn(P.x),
        server: isn(P.y),
      }],
    },
    {
      name: "both halves",
      events: [serverKernel, clientKernel],
      expected: [{ outcome: "established", wire, role: "local", clientRttNs: undefined }],
    },
    {
      name: "SYN-ACK before SYN, as of two rings",
      events: [synAck, syn, ack],
      expected: [{ outcome: "established", clientRttNs: 10 * MS, totalNs: 11 * MS, flags: [] }],
    },
  ]);
});

Deno.test("Matcher keeps an accept() of a handshake that is under way, and counts the others", () => {
  const worker = { pid: 812, comm: "worker", uid: 34, cgroup: 100 };
  const accepted = { outcome: "established", role: "server", acceptedNs: 15 * MS } as const;
  const withWorker = { ...accepted, server: { process: worker } as Snapshot["server"] };
  for (const halves of orders([P.serverKernel(12 * MS), P.accept(15 * MS)])) {
    check([{
      name: "before and after the server's half",
      events: [...threePackets(P, 0), ...halves],
      expected: [withWorker],
    }]);
  }
  check([
    {
      name: "after the half alone",
      events: [P.serverKernel(12 * MS), P.accept(15 * MS)],
      expected: [{ ...withWorker, acceptedNs: 3 * MS, timeNs: 12 * MS }],
    },
    {
      name: "the listener's process first",
      events: [P.serverKernel(12 * MS), P.accept(15 * MS)],
      options: { listenerOf: () => ({ ...worker, pid: 80, comm: "nginx" }) },
      expected: [{
        server: { process: { ...worker, pid: 80, comm: "nginx" } } as Snapshot["server"],
      }],
    },
    {
      name: "of nothing that is known",
      events: [P.accept(15 * MS), P.serverKernel(16 * MS)],
      expected: [{ acceptedNs: undefined }],
      counters: { lateAccepts: 1 },
    },
    {
      name: "of another attempt on the tuple",
      events: [...threePackets(P, 0), P.again(7, 8).accept(15 * MS)],
      expected: [{ acceptedNs: undefined, kernel: false }],
      counters: { lateAccepts: 1 },
    },
    {
      name: "seconds later, as programs may",
      events: [...threePackets(P, 0), { completeNs: SECOND }, P.accept(2 * SECOND)],
      expected: [{ outcome: "established", acceptedNs: undefined }],
      counters: { lateAccepts: 1 },
    },
    {
      name: "told twice",
      events: [P.serverKernel(12 * MS), P.accept(15 * MS), P.accept(16 * MS)],
      expected: [{ acceptedNs: 3 * MS }],
      counters: { lateKernelRecords: 1 },
    },
  ]);
});

Deno.test("Matcher gives the kernel's word to the attempt that goes on, where another VLAN's was refused", () => {
  const packets = [
    P.syn(0, { vlan: 8 }),
    P.syn(101 * MS, { vlan: 108 }),
    P.synAck(102 * MS, { vlan: 8 }),
    P.refusal(103 * MS, { vlan: 108 }),
    P.ack(104 * MS, { vlan: 8 }),
  ];
  for (const told of [P.clientKernel(105 * MS), P.serverKernel(105 * MS)]) {
    const { records } = run([...packets, told]);
    assertEquals(records.map(({ vlan, outcome, kernel }) => [vlan, outcome, kernel]), [
      [108, "refused", false],
      [8, "established", true],
    ]);
  }
});

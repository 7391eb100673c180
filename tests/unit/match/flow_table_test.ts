import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { KernelAccept, KernelEnd, KernelReset } from "../../../src/kernel/kernel_record.ts";
import type { Drops } from "../../../src/match/drops.ts";
import { WireFact } from "../../../src/match/facts.ts";
import { FlowKey } from "../../../src/match/flow_key.ts";
import { FlowState, FlowTable } from "../../../src/match/flow_table.ts";

const STATES = Object.values(FlowState);

/** Few tuples, so that they are reused; each differs from the first in one word or one port. */
const TUPLES = ([
  [[0, 0, 0xffff, 1], 0xffff, [0, 0, 0xffff, 2], 1],
  [[0, 0, 0xffff, 2], 0xffff, [0, 0, 0xffff, 1], 1],
  [[0, 0, 0xffff, 1], 1, [0, 0, 0xffff, 2], 0xffff],
  [[1, 0, 0xffff, 1], 0xffff, [0, 0, 0xffff, 2], 1],
  [[0, 1, 0xffff, 1], 0xffff, [0, 0, 0xffff, 2], 1],
  [[0, 0, 0xffff, 1], 0xffff, [0, 0, 0xfffe, 2], 1],
] as const).map(([client, clientPort, server, serverPort]) =>
  new FlowKey().set(new Uint32Array(client), clientPort, new Uint32Array(server), serverPort)
);

/** A row as the model keeps it. */
interface ModelRow {
  row: number;
  tuple: number;
  isn: number;
  state: FlowState;
  touchedNs: number;
}

type Operation =
  | { do: "insert"; tuple: number; isn: number; state: FlowState }
  | { do: "move"; pick: number; state: FlowState }
  | { do: "remove"; pick: number };

const state = fc.constantFrom(...STATES);
const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("insert" as const),
      tuple: fc.nat(TUPLES.length - 1),
      isn: fc.nat(3),
      state,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("move" as const), pick: fc.nat(31), state }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("remove" as const), pick: fc.nat(31) }),
  },
);

/** Compares everything the table tells with a model: rows by age and, of each state, by touch. */
function compare(table: FlowTable, byAge: ModelRow[], byTouch: ModelRow[]): void {
  assertEquals(table.full, byAge.length === table.capacity);
  for (const state of STATES) {
    const inState = byTouch.filter((row) => row.state === state);
    assertEquals(table.count(state), inState.length);
    assertEquals(table.oldest(state), inState[0]?.row ?? -1);
  }
  for (const [index, key] of TUPLES.entries()) {
    const found: number[] = [];
    for (let row = table.find(key); row >= 0; row = table.older(row, key)) found.push(row);
    const expected = byAge.filter((row) => row.tuple === index).reverse();
    assertEquals(found, expected.map((row) => row.row), "newest first");
    assertEquals(
      found.map((row) => [table.clientIsn[row], table.state[row], table.touchedNs[row]]),
      expected.map(({ isn, state, touchedNs }) => [isn, state, touchedNs]),
    );
  }
}

Deno.test("FlowTable finds, lists and counts its rows as an array does", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 9 }),
      fc.array(operation, { maxLength: 60 }),
      (capacity, operations) => {
        const table = new FlowTable(capacity);
        const byAge: ModelRow[] = [];
        let byTouch: ModelRow[] = [];
        let nowNs = 0;
        for (const operation of operations) {
          nowNs++;
          if (operation.do === "insert") {
            if (table.full) continue;
            const { tuple, isn, state } = operation;
            const row = table.insert(TUPLES[tuple], isn, state, nowNs);
            assert(row >= 0 && row < capacity && !byAge.some((other) => other.row === row));
            const added = { row, tuple, isn, state, touchedNs: nowNs };
            byAge.push(added);
            byTouch.push(added);
          } else {
            if (byAge.length === 0) continue;
            const index = operation.pick % byAge.length;
            const chosen = byAge[index];
            byTouch = byTouch.filter((row) => row !== chosen);
            if (operation.do === "move") {
              table.move(chosen.row, operation.state, nowNs);
              chosen.state = operation.state;
              chosen.touchedNs = nowNs;
              byTouch.push(chosen);
            } else {
              table.remove(chosen.row);
              byAge.splice(index, 1);
            }
          }
          compare(table, byAge, byTouch);
        }
      },
    ),
    { numRuns: 300 },
  );
});

Deno.test("FlowTable.insert clears what an earlier row of the place held", () => {
  const table = new FlowTable(1);
  const first = table.insert(TUPLES[0], 1, FlowState.SynSent, 5);
  table.facts[first] = 0xffffffff;
  for (const column of [table.syns, table.synAcks, table.resets, table.synPlace]) {
    column[first] = 7;
  }
  const kernel = [
    table.clientKernel,
    table.serverKernel,
    table.accept,
    table.drops,
    table.reset,
  ];
  table.clientKernel[first] = table.serverKernel[first] = {} as KernelEnd;
  table.accept[first] = {} as KernelAccept;
  table.drops[first] = {} as Drops;
  table.reset[first] = {} as KernelReset;
  table.remove(first);
  const second = table.insert(TUPLES[0], 2, FlowState.Answered, 6);
  assertEquals(second, first);
  assertEquals(
    [table.facts, table.syns, table.synAcks, table.resets, table.synPlace].map((column) =>
      column[second]
    ),
    [0, 0, 0, 0, 0],
  );
  for (const column of kernel) assertEquals(column[second], undefined);
});

Deno.test("FlowTable keeps tuples apart that differ in one bit", () => {
  const table = new FlowTable(512);
  const client = new Uint32Array([0x20010db8, 0, 0, 1]);
  const server = new Uint32Array([0x20010db8, 0, 0, 2]);
  const key = new FlowKey().set(client, 40_001, server, 443);
  const rows = new Map<string, number>();
  const each = (visit: (name: string) => void) => {
    for (const words of [client, server]) {
      for (let bit = 0; bit < 128; bit++) {
        words[bit >>> 5] ^= 1 << (bit & 31);
        visit(`${client}|${server}`);
        words[bit >>> 5] ^= 1 << (bit & 31);
      }
    }
    for (let bit = 0; bit < 32; bit++) {
      key.ports ^= 1 << bit;
      visit(`ports ${bit}`);
      key.ports ^= 1 << bit;
    }
  };
  each((name) => rows.set(name, table.insert(key, 0, 0, 0)));
  assertEquals(rows.size, 288);
  each((name) => assertEquals(table.find(key), rows.get(name)));
  assertEquals(table.find(key), -1);
});

Deno.test("FlowTable.repeatSyn tells whether the last timestamp is another's too", () => {
  const cases: { timestamps: number[]; shared: boolean }[] = [
    { timestamps: [1, 2], shared: false },
    { timestamps: [1, 1], shared: true },
    { timestamps: [1, 2, 2], shared: true },
    { timestamps: [1, 1, 2], shared: false },
  ];
  for (const { timestamps: [initial, ...repeated], shared } of cases) {
    const table = new FlowTable(1);
    const row = table.insert(TUPLES[0], 1, FlowState.SynSent, 0);
    table.lastSynTimestamp[row] = initial;
    for (const timestamp of repeated) table.repeatSyn(row, timestamp * 10, timestamp);
    assertEquals(table.facts[row], shared ? WireFact.LastSynTimestampShared : 0);
    assertEquals(table.synsBeforeAnswer[row], repeated.length);
    assertEquals(table.lastSynNs[row], repeated.at(-1)! * 10);
  }
});

Deno.test("FlowTable.acknowledge tells when the one SYN-ACK came that is acknowledged", () => {
  const [first, other, third] = [100, 200, 300];
  const { LastSynAckTimestampShared: shared } = WireFact;
  // The first SYN-ACK comes at 1, the others at 2, 3, ...; all with another timestamp.
  const cases: { isns: number[]; acknowledged: number; ns: number; echoTells: boolean }[] = [
    { isns: [], acknowledged: first, ns: 1, echoTells: true },
    { isns: [other], acknowledged: first, ns: 1, echoTells: false },
    { isns: [other], acknowledged: other, ns: 2, echoTells: true },
    { isns: [first], acknowledged: first, ns: NaN, echoTells: true },
    { isns: [other, first], acknowledged: first, ns: NaN, echoTells: true },
    { isns: [other, first], acknowledged: other, ns: 2, echoTells: false },
    { isns: [first, other], acknowledged: first, ns: NaN, echoTells: false },
    { isns: [other, other], acknowledged: other, ns: NaN, echoTells: true },
    { isns: [other, third], acknowledged: third, ns: NaN, echoTells: true },
  ];
  for (const { isns, acknowledged, ns, echoTells } of cases) {
    const table = new FlowTable(1);
    const row = table.insert(TUPLES[0], 1, FlowState.Answered, 0);
    table.serverIsn[row] = first;
    table.firstSynAckNs[row] = table.lastSynAckNs[row] = table.synAcksBeforeAck[row] = 1;
    isns.forEach((isn, index) => table.repeatSynAck(row, index + 2, isn, index + 2, 0));
    assertEquals(table.synAcksBeforeAck[row], 1 + isns.length);
    table.acknowledge(row, acknowledged !== first);
    const name = `${isns} ${acknowledged}`;
    assertEquals(table.serverIsn[row], acknowledged, name);
    assertEquals(table.acknowledgedNs[row], ns, name);
    assertEquals((table.facts[row] & shared) === 0, echoTells, name);
    assertEquals(table.lastSynAckNs[row], 1 + isns.length, name);
  }
});

Deno.test("FlowTable.repeatSynAck tells whether the last timestamp is another's too", () => {
  const table = new FlowTable(1);
  const row = table.insert(TUPLES[0], 1, FlowState.Answered, 0);
  table.lastSynAckTimestamp[row] = 5;
  const shared = [5, 6, 6].map((timestamp) => {
    table.repeatSynAck(row, 1, 0, timestamp, 0);
    return (table.facts[row] & WireFact.LastSynAckTimestampShared) !== 0;
  });
  assertEquals(shared, [true, false, true]);
});

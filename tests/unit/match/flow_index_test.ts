import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { FlowKey } from "../../../src/match/flow_key.ts";
import { hashTuple } from "../../../src/match/flow_index.ts";
import { FlowState, FlowTable } from "../../../src/match/flow_table.ts";
import { end } from "./traffic.ts";

const ENDS = ["192.0.2.1", "192.0.2.2", "2001:db8::1"].map((address) => end(address, 0).address);

interface ModelRow {
  row: number;
  isn: number;
}

/** What the index must tell: rows by their number, and by tuples in the order these became known. */
interface Model {
  rows: ModelRow[];
  tuples: { row: number; key: string }[];
}

const tuple = fc.record({ client: fc.nat(2), server: fc.nat(2), ports: fc.nat(1) });
type TupleChoice = typeof tuple extends fc.Arbitrary<infer T> ? T : never;

const operation = fc.record({
  do: fc.constantFrom(
    "insert" as const,
    "insert" as const,
    "translate" as const,
    "remove" as const,
  ),
  tuple,
  isn: fc.constantFrom(0, 1, 0xffffffff),
  pick: fc.nat(31),
});

function keyOf({ client, server, ports }: TupleChoice): string {
  return `${client} ${server} ${ports}`;
}

function compare(table: FlowTable, model: Model): void {
  for (const client of ENDS.keys()) {
    for (const server of ENDS.keys()) {
      for (const ports of [0, 1]) {
        const found: number[] = [];
        const key = new FlowKey(ENDS[client], ENDS[server], ports);
        for (let row = table.find(key); row >= 0; row = table.older(row, key)) found.push(row);
        const name = keyOf({ client, server, ports });
        const expected = model.tuples.filter((each) => each.key === name).map(({ row }) => row);
        assertEquals(found, expected.reverse());
      }
    }
  }
  for (const isn of [0, 1, 0xffffffff]) {
    const found: number[] = [];
    for (let row = table.findIsn(isn); row >= 0; row = table.olderIsn(row)) {
      if (table.clientIsn[row] === isn) found.push(row);
    }
    const expected = model.rows.filter((each) => each.isn === isn).map(({ row }) => row);
    assertEquals(found, expected.reverse());
  }
}

Deno.test("FlowIndex finds rows by both their tuples and by their number, the newest first", () => {
  fc.assert(fc.property(
    fc.integer({ min: 1, max: 9 }),
    fc.array(operation, { maxLength: 40 }),
    (capacity, operations) => {
      const table = new FlowTable(capacity);
      const model: Model = { rows: [], tuples: [] };
      for (const { do: what, tuple, isn, pick } of operations) {
        const key = new FlowKey(ENDS[tuple.client], ENDS[tuple.server], tuple.ports);
        const chosen = model.rows[pick % Math.max(model.rows.length, 1)];
        const own = model.tuples.filter(({ row }) => row === chosen?.row);
        if (what === "insert" && !table.full) {
          const row = table.insert(key, isn, FlowState.SynSent, 0);
          model.rows.push({ row, isn });
          model.tuples.push({ row, key: keyOf(tuple) });
          assertEquals(table.isTranslated(row), false);
        } else if (what === "translate" && own.length === 1 && own[0].key !== keyOf(tuple)) {
          table.translate(chosen.row, key);
          model.tuples.push({ row: chosen.row, key: keyOf(tuple) });
          assertEquals(table.isTranslated(chosen.row), true);
          assertEquals(table.hasFirstTuple(chosen.row, key), false);
          assertEquals(table.hasFirstTuple(chosen.row, table.firstKey(chosen.row)), true);
        } else if (what === "remove" && chosen) {
          table.remove(chosen.row);
          model.rows = model.rows.filter((each) => each !== chosen);
          model.tuples = model.tuples.filter(({ row }) => row !== chosen.row);
        }
        compare(table, model);
      }
    },
  ));
});

/** Words of addresses that cancel each other where both are put together before the seed mixes them. */
const CHOSEN: Record<string, (word: number, client: Uint32Array, server: Uint32Array) => void> = {
  "two words of the client": (word, client) => {
    client[2] = word;
    client[0] = 0x20010db8 ^ Math.imul(word, 0x27d4eb2f);
  },
  "two words of the server": (word, _, server) => {
    server[2] = word;
    server[0] = 0x20010db8 ^ Math.imul(word, 0x165667b1);
  },
  "a word of each": (word, client, server) => {
    server[1] = word;
    client[1] = Math.imul(word, 0x85ebca6b);
  },
};

Deno.test("hashTuple gives nobody a way to choose tuples that meet whatever the seed is", () => {
  for (const [name, choose] of Object.entries(CHOSEN)) {
    for (const seed of [0, 1, 0x12345678, 0xdeadbeef]) {
      const hashes = new Set<number>();
      for (let index = 0; index < 4096; index++) {
        const client = end("2001:db8::1", 0).address.slice();
        const server = end("2001:db8::2", 0).address.slice();
        choose(Math.imul(index, 0x9e3779b1), client, server);
        hashes.add(hashTuple(seed, new FlowKey(client, server, 0)));
      }
      assert(hashes.size > 4080, `${name}: ${hashes.size} of 4096 under the seed ${seed}`);
    }
  }
});

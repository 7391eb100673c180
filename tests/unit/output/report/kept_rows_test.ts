import { assert, assertEquals } from "@std/assert";
import type { Handshake } from "../../../../src/match/handshake.ts";
import { type HandshakeView, viewOf } from "../../../../src/output/report/handshake_view.ts";
import { KeptRows } from "../../../../src/output/report/kept_rows.ts";
import { NO_ROW } from "../../../../src/pipeline/sink.ts";
import { StoryTeller } from "../../../../src/explain/teller.ts";
import { CONTEXT, makeHandshake } from "../../record/sample_handshakes.ts";
import { sourceOf } from "../../pipeline/stand_ins.ts";

const TELLER = new StoryTeller(1);
TELLER.begin(sourceOf(CONTEXT));

function viewFrom(handshake: Handshake, host = "web1"): HandshakeView {
  const story = TELLER.tell(handshake, NO_ROW);
  return viewOf(() => story, handshake, { host });
}

const number = (isn: number, totalNs = 1, outcome: Handshake["outcome"] = "established") =>
  makeHandshake({
    outcome,
    totalNs,
    timeNs: isn,
    client: { address: "10.0.0.1", port: 7, isn },
    server: { address: "10.0.0.2", port: 80 },
  });

/** Takes handshakes, each of its kind. @returns How often one was told, and the rows. */
function keep(taken: readonly (readonly [handshake: Handshake, kind: number])[]) {
  const rows = new KeptRows();
  let told = 0;
  for (const [handshake, kind] of taken) {
    rows.take(handshake, kind, () => {
      told++;
      return viewFrom(handshake);
    });
  }
  return { ...rows.list(), told };
}

const many = (count: number, kind: number, outcome: Handshake["outcome"] = "refused") =>
  Array.from({ length: count }, (_, at) => [number(at, 1, outcome), kind] as const);

Deno.test("KeptRows keeps all where there are few, in the order of their times", () => {
  const { rows } = keep([[number(3_000), 0], [number(1_000), 1], [number(2_000), 0]]);
  assertEquals(rows.map(({ timeUs }) => timeUs % 1e6), [1, 2, 3]);
});

Deno.test("KeptRows gives every kind its share, however many there are of another", () => {
  const { keptOfKind } = keep([...many(3_000, 0), ...many(20, 1), ...many(500, 2)]);
  assertEquals(keptOfKind, [150, 20, 150]);
  const kinds = Array.from({ length: 8 }, (_, kind) => many(kind === 0 ? 5 : 200, kind)).flat();
  assertEquals(keep(kinds).keptOfKind, [5, 56, 56, 56, 56, 56, 56, 56]);
});

Deno.test("KeptRows chooses by chance, from begin to end alike, and the same each time", () => {
  const timesOf = () => keep(many(30_000, 0)).rows.map(({ timeUs }) => timeUs % 1e6);
  const times = timesOf();
  assertEquals(times, timesOf());
  const thirds = [0, 10, 20].map((from) =>
    times.filter((time) => time >= from && time < from + 10).length
  );
  // 150 of them, 50 expected in each third: six standard deviations are 35.
  assert(thirds.every((count) => count > 15 && count < 85), thirds.join());
});

Deno.test("KeptRows keeps the slowest of those established, and tells few others", () => {
  const taken = Array.from(
    { length: 5_000 },
    (_, at) => [number(at, (at * 7_919) % 5_000), 0] as const,
  );
  const { rows, told } = keep(taken);
  const slow = rows.filter(({ isSlow }) => isSlow).map(({ totalNs }) => totalNs!);
  assertEquals(
    slow.sort((one, other) => one - other),
    Array.from({ length: 100 }, (_, at) => 4_900 + at),
  );
  assert(told < 1_500, String(told));
});

Deno.test("KeptRows puts what another host tells beside what the first told", () => {
  const kept = new KeptRows();
  kept.take(number(5), 0, () => viewFrom(number(5)));
  const again = (handshake: Handshake, host: string) =>
    kept.takeAgain(handshake, () => viewFrom(handshake, host));
  assertEquals(again(number(6), "db1"), undefined);
  for (const host of ["db1", "fw1", "fw2", "fw3"]) again(number(5), host);
  assertEquals(kept.list().rows[0].views.map(({ host }) => host), ["web1", "db1", "fw1", "fw2"]);
});

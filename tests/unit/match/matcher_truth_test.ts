/** What the matcher tells of simulated connections, held against what their ends did and when packets passed. */
import { assert, assertEquals } from "@std/assert";
import { SECOND } from "./matcher_cases.ts";
import { Chance, type Connection, type Sent, Simulation } from "./simulated_tcp.ts";
import { type Event, run, type Snapshot } from "./traffic.ts";

/** Simulations that are played; more find more: `-- --runs=1000000`. */
const RUNS = Number(/^--runs=(\d+)$/.exec(Deno.args[0] ?? "")?.[1] ?? 300);

const BOTH = [1, 2];

function simulate(seed: number): Simulation {
  const chance = new Chance(seed);
  const simulation = new Simulation(chance, {
    lossPercent: chance.of(0, 5, 20, 40),
    jitterNs: chance.of(10, 1e5, 3e7, 4e8),
  });
  const count = 1 + chance.below(3);
  for (let index = 0; index < count; index++) {
    const x = chance.of(0, 1, 0x7fffffff, 0xffffffff, chance.below(2 ** 32));
    simulation.connect(1024 + index, x, chance.below(3) * SECOND);
  }
  simulation.run();
  return simulation;
}

/** What a capture at some places has, in the order of time. */
function captured({ events }: Simulation, places: readonly number[]): Event[] {
  const all = events.filter(({ place }) => places.includes(place))
    .sort((one, other) => one.timeNs - other.timeNs);
  return all.flatMap((event) => [event, { completeNs: event.timeNs - 50e6 }]);
}

const passed = (sent: Sent[], kinds: Sent["kind"][], place: number) =>
  sent.filter(({ kind, passedNs }) => kinds.includes(kind) && passedNs[place] !== undefined);

/** How it ended by what passed a place. */
function outcomeAt({ sent, play }: Connection, place: number): string {
  const byTime = sent.filter(({ passedNs }) => passedNs[place] !== undefined)
    .sort((one, other) => one.passedNs[place]! - other.passedNs[place]!);
  const clients = byTime.filter(({ packet }) => packet.from === play.client);
  const isThird = ({ kind }: Sent) => kind === "ack" || kind === "data";
  if (clients.some(isThird)) return "established";
  const [reset] = passed(byTime, ["rst"], place);
  const [synAck] = passed(byTime, ["synAck"], place);
  if (reset) return reset.packet.from === play.client ? "aborted" : "refused";
  return synAck ? "half_open" : "unanswered";
}

/** The packets that one answers: that which made its end send it, and that whose timestamp it echoes. */
function answeredBy(sent: readonly Sent[], { packet, answers }: Sent): Sent[] {
  const echo = packet.timestamps?.[1] || undefined;
  return sent.filter((each) => {
    const isEchoed = echo !== undefined && each.packet.timestamps?.[0] === echo;
    return each === answers || isEchoed && each.packet.from !== packet.from;
  });
}

/** Whether a duration is that between a packet and its answer at one of some places. */
function isBetween(
  sent: Sent[],
  kinds: Sent["kind"][],
  durationNs: number,
  places: readonly number[],
): boolean {
  return sent.filter(({ kind }) => kinds.includes(kind)).some((answer) =>
    answeredBy(sent, answer).some(({ passedNs }) =>
      places.some((place) => {
        const [askedNs, answeredNs] = [passedNs[place], answer.passedNs[place]];
        return askedNs !== undefined && answeredNs !== undefined &&
          answeredNs - askedNs === durationNs;
      })
    )
  );
}

function recordsOf(records: Snapshot[], { play }: Connection): Snapshot[] {
  return records.filter(({ client }) => client.port === play.client.port);
}

Deno.test("Matcher tells of each simulated connection once, as it ended, in times of one place", () => {
  for (let seed = 1; seed <= RUNS; seed++) {
    const simulation = simulate(seed);
    for (const places of [[1], [2], BOTH]) {
      const { records } = run(captured(simulation, places));
      for (const connection of simulation.connections) {
        const { sent, play } = connection;
        const says = `seed ${seed}, places ${places}, port ${play.client.port}`;
        const [place] = places;
        const isSeen = sent.some(({ passedNs }) => passedNs[place] !== undefined);
        const found = recordsOf(records, connection);
        if (connection.server === "refuses") {
          // A client whose SYN was refused may send that very SYN again, which begins another attempt.
          const synCount = found.reduce((sum, each) => sum + each.synCount, 0);
          assertEquals(synCount, passed(sent, ["syn"], place).length, says);
          assert(found.every(({ outcome }) => /refused|unanswered/.test(outcome)), says);
          continue;
        }
        assertEquals(found.length, isSeen ? 1 : 0, says);
        if (!isSeen) continue;
        const [record] = found;
        assertEquals(record.client.isn, play.x, says);
        assert(record.synCount <= passed(sent, ["syn"], place).length, says);
        if (places.length === 1) {
          assertEquals(record.outcome, outcomeAt(connection, place), says);
        }
        if (record.outcome === "established") assert(connection.clientEstablished, says);
        const { clientRttNs, serverRttNs } = record;
        if (clientRttNs !== undefined) {
          assert(isBetween(sent, ["synAck"], clientRttNs, places), `${says}: client RTT`);
        }
        if (serverRttNs !== undefined) {
          assert(isBetween(sent, ["ack", "data"], serverRttNs, places), `${says}: server RTT`);
        }
      }
    }
  }
});

Deno.test("Matcher subtracts times of one place where a capture lost packets, and some place saw both", () => {
  for (let seed = 1; seed <= RUNS; seed++) {
    const chance = new Chance(seed);
    const simulation = new Simulation(chance, { lossPercent: chance.of(0, 10), jitterNs: 3e7 });
    simulation.connect(1024, chance.below(2 ** 32), 0);
    simulation.run();
    const [{ sent }] = simulation.connections;
    for (const each of sent) {
      each.passedNs = each.passedNs.map((timeNs) => chance.is(20) ? undefined : timeNs);
    }
    const isCaptured = ({ timeNs, place, packet }: Simulation["events"][number]) =>
      sent.some((each) => each.packet === packet && each.passedNs[place] === timeNs);
    const events = captured(
      Object.assign(simulation, { events: simulation.events.filter(isCaptured) }),
      BOTH,
    );
    const sees = (kinds: Sent["kind"][]) =>
      BOTH.filter((place) => passed(sent, kinds, place).length > 0);
    const isBoth = sees(["syn"]).some((place) => sees(["synAck"]).includes(place));
    if (!isBoth) continue;
    for (const { clientRttNs, serverRttNs } of run(events).records) {
      const differences = (from: Sent["kind"][], to: Sent["kind"][]) =>
        BOTH.flatMap((place) =>
          passed(sent, from, place).flatMap((asked) =>
            passed(sent, to, place).map((each) => each.passedNs[place]! - asked.passedNs[place]!)
          )
        );
      const says = `seed ${seed}`;
      if (clientRttNs !== undefined) {
        assert(differences(["syn"], ["synAck"]).includes(clientRttNs), `${says}: client RTT`);
      }
      if (serverRttNs !== undefined) {
        const all = differences(["synAck"], ["ack", "data"]);
        assert(all.includes(serverRttNs), `${says}: server RTT`);
      }
    }
  }
});

// `read` of captures whose packets stand out of order: their records are those of the sorted capture, as
// Wireshark's reordercap sorts it, and what stands too far behind is counted.
// Covers src/pipeline/time_order.ts
import { assert, assertEquals, assertGreater } from "@std/assert";
import { findExecutable } from "../../src/linux/host.ts";
import { TcpFlag } from "../../src/wire/segment.ts";
import { Folder } from "../folder.ts";
import { handshakeKey, readHandshakes, recordTimeNs } from "../netns/oracle.ts";
import { buildPcap, PcapMagic, type PcapRecord } from "../unit/pcap/build_capture.ts";
import { buildEthernet, buildIpv4, buildTcp } from "../unit/wire/build_frame.ts";
import { runRead } from "./read_tool.ts";

const { SYN, ACK, RST } = TcpFlag;
const START = 1_700_000_000;
const SERVER = "198.51.100.2";
const CLIENT = "192.0.2.1";
const COUNT = 400;
/** How far a packet may stand behind: less than is put in order. */
const BEHIND_NS = 9_900_000;

interface Packet {
  timeNs: number;
  data: Uint8Array;
}

/** The same numbers for the same seed (MINSTD). */
function diceOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => (state = state * 48_271 % 2_147_483_647) % below;
}

/** Handshakes of every kind, a few of them at a time, with round trips far below the disorder. */
function makePackets(dice: (below: number) => number): Packet[] {
  const packets: Packet[] = [];
  for (let at = 0; at < COUNT; at++) {
    const port = 10_000 + at;
    const [x, y] = [dice(2 ** 31) * 2, dice(2 ** 31) * 2];
    let timeNs = at * 700_000 + dice(500_000);
    let identification = 1;
    const say = (isClients: boolean, fields: Parameters<typeof buildTcp>[0], afterNs: number) => {
      timeNs += afterNs;
      const [source, destination] = isClients ? [CLIENT, SERVER] : [SERVER, CLIENT];
      const ports = isClients
        ? { sourcePort: port, destinationPort: 443 }
        : { sourcePort: 443, destinationPort: port };
      const payload = buildTcp({ ...ports, ...fields });
      const ip = buildIpv4({ source, destination, payload, identification: identification++ });
      packets.push({ timeNs, data: buildEthernet({ payload: ip }) });
    };
    const syn = (afterNs: number) => say(true, { flags: SYN, sequence: x }, afterNs);
    const synAck = (afterNs: number) =>
      say(false, { flags: SYN | ACK, sequence: y, acknowledgment: x + 1 >>> 0 }, afterNs);
    const ack = (afterNs: number) =>
      say(true, { flags: ACK, sequence: x + 1 >>> 0, acknowledgment: y + 1 >>> 0 }, afterNs);
    syn(0);
    const kind = at % 5;
    if (kind === 1) {
      say(false, { flags: RST | ACK, sequence: 0, acknowledgment: x + 1 >>> 0 }, 30_000);
      continue;
    }
    if (kind === 2) syn(1_000_000_000);
    synAck(30_000 + dice(200_000));
    if (kind === 3) synAck(1_000_000_000);
    if (kind === 4) continue;
    ack(10_000 + dice(20_000));
    // Data behind it, which is no third packet though it might be.
    for (let segment = 0; segment < 3; segment++) {
      const sent = { sequence: x + 1 + segment * 100 >>> 0, acknowledgment: y + 1 >>> 0 };
      say(true, { flags: ACK, ...sent, payload: new Uint8Array(100) }, 40_000);
    }
  }
  return packets;
}

function capture(packets: readonly Packet[]): Uint8Array {
  const records = packets.map(({ timeNs, data }): PcapRecord => ({
    seconds: START + Math.floor(timeNs / 1e9),
    fraction: timeNs % 1e9,
    data,
  }));
  return buildPcap({ magic: PcapMagic.NANOSECONDS, records });
}

const lacks = ["reordercap", "tshark"].find((program) => findExecutable(program) === undefined);
const why = lacks === undefined ? "" : ` — skipped: there is no ${lacks}`;

Deno.test({
  name: `records of packets out of order are those of the sorted capture${why}`,
  ignore: lacks !== undefined,
  async fn() {
    using folder = new Folder();
    for (const seed of [1, 2, 3]) {
      const dice = diceOf(seed);
      const disordered = makePackets(dice)
        .map((packet) => ({ packet, comesNs: packet.timeNs + dice(BEHIND_NS) }))
        .toSorted((a, b) => a.comesNs - b.comesNs).map(({ packet }) => packet);
      const path = `${folder.path}/${seed}.pcap`;
      Deno.writeFileSync(path, capture(disordered));
      const sorted = `${path}.sorted`;
      const { success } = await new Deno.Command("reordercap", {
        args: [path, sorted],
        stdout: "null",
      }).output();
      assert(success);
      const [own, twin] = [await runRead([path]), await runRead([sorted])];
      assertEquals(own.records, twin.records);
      assertEquals(own.summary, twin.summary);
      assertEquals(own.summary.losses.disordered_packets, 0);

      const oracle = await readHandshakes(sorted);
      assertEquals(own.records.length, COUNT);
      let compared = 0;
      for (const { client, server, time, rtt, packets } of own.records) {
        const seen = oracle.get(
          handshakeKey(client.address, client.port, server.port, client.isn!),
        )!;
        if (packets.syn !== 1 || packets.syn_ack !== 1 || seen.ackNs === undefined) continue;
        assertEquals(recordTimeNs(time), seen.synNs);
        assertEquals(BigInt(rtt.client_ns!), seen.synAckNs! - seen.synNs);
        assertEquals(BigInt(rtt.server_ns!), seen.ackNs - seen.synAckNs!);
        compared++;
      }
      assertGreater(compared, COUNT / 10);
    }
  },
});

Deno.test("packets too far behind newer ones are counted, and the records still make sense", async () => {
  using folder = new Folder();
  const packets = makePackets(diceOf(4));
  // As of captures joined end to end without sorting: the SYNs of the first tenth stand at the end of it.
  const [late, others] = [packets.slice(0, 1), packets.slice(1, 300)];
  const newestNs = Math.max(...others.map(({ timeNs }) => timeNs));
  const isLate = newestNs - late[0].timeNs > BEHIND_NS;
  assert(isLate);
  const path = folder.write("late.pcap", "");
  const inOrder = others.toSorted((a, b) => a.timeNs - b.timeNs)
    .filter(({ timeNs }) => timeNs < late[0].timeNs + 900_000_000);
  Deno.writeFileSync(path, capture([...inOrder, ...late]));
  const { summary, records } = await runRead([path]);
  assertEquals(summary.losses.disordered_packets, 1);
  const first = records.find(({ client }) => client.port === 10_000)!;
  assertEquals([first.outcome, first.packets.syn], ["established", 1]);
});

import { assert, assertEquals } from "@std/assert";
import { PacketRing } from "../../src/linux/capture/packet_ring.ts";
import { interfaceIndex } from "../../src/linux/netns/interfaces.ts";
import { buildIpv4, buildTcp, finished, type TcpFields } from "../unit/wire/build_frame.ts";
import { lineReader } from "../line_reader.ts";
import { compileC } from "./compile.ts";
import { ethernetFrame, FrameSender, TCP } from "./frame_sender.ts";
import { inNamespace, Namespace, namespaceTest, until } from "./namespace.ts";
import { Tracer } from "./tracer.ts";

const SYNS_PER_SECOND = 70_000;
const CONNECTIONS_PER_SECOND = 1_000;
const CONNECTIONS = 2_000;
/** What a client is away, the time to the server and back. */
const AWAY_MS = 100;
/** A machine that sends fewer SYNs a second keeps the ACKs back until as many have been answered. */
const SYNS_MEANWHILE = SYNS_PER_SECOND * AWAY_MS / 1_000;
/** Where more were, because this process had to wait for a processor, the filter may give a flow up. */
const SYNS_MEANWHILE_MAX = 2 * SYNS_MEANWHILE;

const SERVER = "198.51.100.2";
/** The cable's other end has another address: no kernel answers in the client's name. */
const CLIENT = "198.51.100.9";
const PORT = 5_000;
const FIRST_CLIENT_PORT = 10_000;
/** Half-open flows that the packet filter keeps. */
const FILTER_FLOWS = 131_072;
const READY_SYNS = 20_000;
/** Packets that a busy kernel drops are not sent again. */
const PATIENCE_MS = 30_000;

await namespaceTest("trace in a flood: every ACK of clients far away", async () => {
  await using stack = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir({ prefix: "synsnoop-late-" });
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  const build = (name: string) => compileC(new URL(name, import.meta.url), folder);
  const [load, flood] = [await build("connect_load.c"), await build("../bench/packet_load.c")];
  const clients = stack.use(await Namespace.create());
  const flooders = stack.use(await Namespace.create());
  const host = stack.use(await Namespace.create());
  const network = { here: "198.51.100.1/24", there: `${SERVER}/24` };
  const [clientEnd] = await clients.connect(host, network);
  const [floodEnd, hostEnd] = await flooders.connect(host);
  const clientMac = await ethernetAddress(clients, clientEnd);
  await host.ip("neighbor", "add", CLIENT, "lladdr", clientMac, "dev", "veth0");
  // The answers to the flood leave by an interface that throws them away.
  await host.ip("link", "add", "ifb0", "type", "ifb");
  await host.ip("link", "set", "ifb0", "up");
  await host.ip("route", "add", "10.0.0.0/8", "dev", "ifb0");
  await host.run("sysctl", "-qw", `net.ipv4.conf.${hostEnd}.rp_filter=0`);
  await host.run("sysctl", "-qw", "net.ipv4.conf.all.rp_filter=0");

  const serving = [load, SERVER, String(PORT), String(CONNECTIONS), "--serve"];
  const server = host.spawn(serving, { stdout: "piped" });
  const said = lineReader(server.stdout);
  assertEquals((await said.read()).value, "ready");
  const tracer = await Tracer.start(host, ["--json", "--probes", "none", "--host", CLIENT]);

  const hostMac = await ethernetAddress(host, hostEnd);
  const flooding = flooders.spawn([
    ...[flood, floodEnd, String(SYNS_PER_SECOND), "600s"],
    ...["syns", hostMac, SERVER, String(PORT), "10.0.0.1"],
  ], { stdout: "null" });
  const answered = () => cookiesSent(host);
  await until("the flood has begun", () => answered() >= READY_SYNS);
  const [begun, began] = [answered(), performance.now()];
  const nextHop = await ethernetAddress(host, "veth0");
  using client = new FarClient(clients, clientEnd, nextHop, answered);
  while (!client.isOver) await until("ACKs are due", () => client.goOn());
  const perSecond = (answered() - begun) / (performance.now() - began) * 1_000;
  flooding.kill("SIGKILL");
  await flooding.status;
  if (perSecond < 0.9 * SYNS_PER_SECOND) {
    console.log(`This machine answered ${Math.round(perSecond)} SYNs a second: ACKs came later.`);
  }
  if (client.tooLate > 0) {
    console.log(`${client.tooLate} of ${CONNECTIONS} ACKs came too late to be sure of.`);
  }

  const accepted = Number((await said.read()).value);
  if (accepted < CONNECTIONS) {
    console.log(`The kernel took ${accepted} of ${CONNECTIONS} connections.`);
  }
  assert(accepted > CONNECTIONS / 2);
  const { records, summary } = await tracer.stop();
  const { ring_packets: dropped = 0, filter_half_open: givenUp = 0 } = summary!.losses;
  const complete = records.filter(({ outcome, rtt }) =>
    outcome === "established" && rtt.server_ns! >= AWAY_MS * 1e6
  );
  const told = `${complete.length} complete, ${JSON.stringify(summary!.losses)}`;
  assert(complete.length <= accepted, told);
  // A packet that found no room in the ring may have been any.
  assert(complete.length >= accepted - client.tooLate - dropped, told);
  assert(givenUp >= answered() - FILTER_FLOWS, told);
});

/** An ACK that is to be sent. */
interface Due {
  /** Counted from 0. */
  connection: number;
  serverIsn: number;
  /** Not before, in ms since the first SYN. */
  atMs: number;
}

/** Makes connections by hand, whose ACKs come late. */
class FarClient implements Disposable {
  readonly #ring: PacketRing;
  readonly #sender: FrameSender;
  readonly #nextHop: Uint8Array;
  readonly #answered: () => number;
  readonly #began = performance.now();
  /** How many SYNs had been answered before a client's own was sent. */
  readonly #before: number[] = [];
  readonly #due: Due[] = [];
  #asked = 0;
  #done = 0;
  /** How many ACKs came after more than SYNS_MEANWHILE_MAX. */
  tooLate = 0;

  constructor({ name }: Namespace, end: string, nextHop: string, answered: () => number) {
    this.#ring = inNamespace(name, () => PacketRing.open());
    this.#sender = inNamespace(name, () => new FrameSender(interfaceIndex(end)!));
    this.#nextHop = Uint8Array.from(nextHop.split(":"), (byte) => parseInt(byte, 16));
    this.#answered = answered;
  }

  /** Whether all is done that this machine let be done. */
  get isOver(): boolean {
    return this.#done === CONNECTIONS || performance.now() - this.#began > PATIENCE_MS;
  }

  /** Sends what is due. @returns Whether an ACK was, or nothing will be any more. */
  goOn(): boolean {
    const elapsedMs = performance.now() - this.#began;
    const asked = Math.min(elapsedMs * CONNECTIONS_PER_SECOND / 1_000, CONNECTIONS);
    const answered = this.#answered();
    for (; this.#asked < asked; this.#asked++) {
      this.#before.push(answered);
      this.#send({ sourcePort: FIRST_CLIENT_PORT + this.#asked, flags: TCP.syn });
    }
    this.#ring.drain(({ view, networkOffset: network }) => {
      const tcp = network + 20;
      if (view.getUint8(tcp + 13) !== TCP.synAck) return;
      const connection = view.getUint16(tcp + 2) - FIRST_CLIENT_PORT;
      const atMs = performance.now() - this.#began + AWAY_MS;
      this.#due.push({ connection, serverIsn: view.getUint32(tcp + 4), atMs });
    });
    const isDue = ({ connection, atMs }: Due) =>
      elapsedMs >= atMs && answered >= this.#before[connection] + SYNS_MEANWHILE;
    const left = this.#due.findIndex((due) => !isDue(due));
    const now = this.#due.splice(0, left < 0 ? this.#due.length : left);
    for (const { connection, serverIsn } of now) {
      const acknowledgment = (serverIsn + 1) >>> 0;
      const third = { sourcePort: FIRST_CLIENT_PORT + connection, sequence: 1001, acknowledgment };
      this.#send({ ...third, flags: TCP.ack });
      this.#send({ ...third, flags: TCP.ack | TCP.rst });
    }
    this.#done += now.length;
    const sent = this.#answered();
    this.tooLate +=
      now.filter(({ connection }) => sent > this.#before[connection] + SYNS_MEANWHILE_MAX).length;
    return now.length > 0 || this.isOver;
  }

  #send(fields: TcpFields): void {
    const payload = buildTcp({ destinationPort: PORT, ...fields });
    const packet = finished(buildIpv4({ source: CLIENT, destination: SERVER, payload }));
    const frame = ethernetFrame(packet);
    frame.set(this.#nextHop);
    this.#sender.send(frame);
  }

  [Symbol.dispose](): void {
    this.#ring.close();
    this.#sender[Symbol.dispose]();
  }
}

async function ethernetAddress(namespace: Namespace, name: string): Promise<string> {
  return JSON.parse(await namespace.ip("-j", "link", "show", name))[0].address;
}

/** SYN-ACKs with a cookie so far: in a flood nearly all. */
function cookiesSent(namespace: Namespace): number {
  const text = inNamespace(
    namespace.name,
    () => Deno.readTextFileSync("/proc/thread-self/net/netstat"),
  );
  const [names, values] = text.split("\n").map((line) => line.split(" "));
  return Number(values[names.indexOf("SyncookiesSent")]);
}

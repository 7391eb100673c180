/**
 * Every kind of handshake, over loopback and a cable, for a trace that goes on for long.
 *
 * @module
 */
import { compileC } from "./compile.ts";
import { type Namespace, until } from "./namespace.ts";

const OPEN_PORT = 4450;
const FLOOD_PORT = 4451;
const CLOSED_PORT = 4452;
/** Those of all its handshakes, for a filter. */
export const SOAK_PORTS = [OPEN_PORT, FLOOD_PORT, CLOSED_PORT].join(",");

const HERE = "10.81.0.1";
const THERE = "10.81.0.2";
const HERE_V6 = "fd81::1";
const THERE_V6 = "fd81::2";

/** Of each kind in each cycle. */
const CONNECTIONS = 500;
const REFUSALS = 200;
const RESETS = 200;
const HALF_OPEN = 1_000;
const FLOOD_RATE = 20_000;
/** Handshakes by their outcome. */
export type Counts = Record<string, number>;

/** Two hosts, the cable between them, and the programs that connect. */
export class SoakTraffic {
  /** What was made so far. */
  readonly made: Counts = { established: 0, refused: 0, aborted: 0, half_open: 0 };
  /**
   * Connections whose reset overtook the ACK, on another processor: connect() succeeded, and accept()
   * never heard of them. Where the client's kernel tells, they are established, by packets aborted.
   */
  overtaken = 0;
  readonly #here: Namespace;
  readonly #there: Namespace;
  readonly #connectLoad: string;
  readonly #packetLoad: string;
  readonly #thereEnd: string;
  readonly #mac: string;
  #client = 0;

  private constructor(
    here: Namespace,
    there: Namespace,
    programs: readonly [connectLoad: string, packetLoad: string],
    cable: { thereEnd: string; mac: string },
  ) {
    [this.#here, this.#there] = [here, there];
    [this.#connectLoad, this.#packetLoad] = programs;
    this.#thereEnd = cable.thereEnd;
    this.#mac = cable.mac;
  }

  /** Lays the cable. @param here Where the trace is. @param folder For the programs. */
  static async lay(here: Namespace, there: Namespace, folder: string): Promise<SoakTraffic> {
    const [hereEnd, thereEnd] = await here.connect(there, {
      here: `${HERE}/24`,
      there: `${THERE}/24`,
    });
    for (
      const [namespace, end, address] of [[here, hereEnd, HERE_V6], [
        there,
        thereEnd,
        THERE_V6,
      ]] as const
    ) {
      // Else they would be gone when the cable was down.
      const setting = `/proc/sys/net/ipv6/conf/${end}/keep_addr_on_down`;
      await namespace.run("sh", "-c", `echo 1 > ${setting}`);
      await namespace.ip("address", "add", `${address}/64`, "dev", end, "nodad");
    }
    const mac = /link\/ether (\S+)/.exec(await here.ip("link", "show", hereEnd))![1];
    const source = (path: string) => compileC(new URL(path, import.meta.url), folder);
    const programs = [
      await source("connect_load.c"),
      await source("../bench/packet_load.c"),
    ] as const;
    const traffic = new SoakTraffic(here, there, programs, { thereEnd, mac });
    // Accepts nothing: whoever connects there never answers. It ends with its namespace.
    await traffic.#listen(HERE, FLOOD_PORT, 1);
    return traffic;
  }

  /** Something of every kind that ends at once. */
  async everything(): Promise<void> {
    for (const address of ["127.0.0.1", "::1"]) {
      await this.onLoopback(address, CONNECTIONS);
      await this.#refused(this.#here, address);
    }
    await this.overCable("ipv4");
    await this.#refused(this.#there, HERE);
    await this.overCable("ipv6");
    await this.#refused(this.#there, HERE_V6);
    await this.#resets();
  }

  /** SYNs whose answers nobody takes. */
  async flood(): Promise<void> {
    await this.#syns(this.#nextClient(), HALF_OPEN, "half_open");
  }

  /** Connections of a host with itself. */
  async onLoopback(address: string, count: number): Promise<void> {
    const said = await this.#here.run(
      ...[this.#connectLoad, address, String(OPEN_PORT), String(count)],
    );
    this.#connected(count, Number(said.trim().split(" ").at(-1)));
  }

  #connected(count: number, accepted: number): void {
    this.made.established += accepted;
    this.overtaken += count - accepted;
  }

  /** Connections from the other end of the cable. */
  async overCable(version: "ipv4" | "ipv6"): Promise<void> {
    const address = version === "ipv4" ? HERE : HERE_V6;
    const args = [address, OPEN_PORT, CONNECTIONS].map(String);
    const ended = await this.#listen(address, OPEN_PORT, CONNECTIONS);
    await this.#there.run(this.#connectLoad, ...args, "--connect");
    this.#connected(CONNECTIONS, await ended());
  }

  /** Starts a server for so many connections. @returns Waits for its end: how many it accepted. */
  async #listen(address: string, port: number, count: number): Promise<() => Promise<number>> {
    const server = this.#here.spawn(
      [this.#connectLoad, address, String(port), String(count), "--serve"],
      { stdout: "piped" },
    );
    const said = server.stdout.getReader();
    await said.read();
    return async () => {
      const { value } = await said.read();
      await said.cancel();
      await server.status;
      return Number(new TextDecoder().decode(value));
    };
  }

  async #refused(from: Namespace, address: string): Promise<void> {
    const { status } = from.spawn(
      [this.#connectLoad, address, String(CLOSED_PORT), String(REFUSALS), "--connect"],
      { stdout: "null", stderr: "null" },
    );
    await status;
    this.made.refused += REFUSALS;
  }

  /** SYNs that a host knows nothing of when they are answered: its kernel resets them. */
  async #resets(): Promise<void> {
    const client = this.#nextClient();
    await this.#there.ip("address", "add", `${client}/32`, "dev", this.#thereEnd);
    await this.#syns(client, RESETS, "aborted");
  }

  async #syns(client: string, count: number, outcome: string): Promise<void> {
    // Gone when the cable was down.
    await this.#here.ip("route", "replace", "10.82.0.0/16", "via", THERE);
    await this.#there.run(
      ...[this.#packetLoad, this.#thereEnd, String(FLOOD_RATE), String(count)],
      ...["syns", this.#mac, HERE, String(FLOOD_PORT), client],
    );
    this.made[outcome] += count;
  }

  #nextClient(): string {
    this.#client++;
    return `10.82.${this.#client >> 8}.${this.#client & 255}`;
  }

  /** Takes the cable down and up again. */
  async flapCable(): Promise<void> {
    await this.#there.ip("link", "set", this.#thereEnd, "down");
    await this.#there.ip("link", "set", this.#thereEnd, "up");
    await until(
      "the cable is up",
      async () => (await this.#there.ip("link", "show", this.#thereEnd)).includes("state UP"),
    );
  }
}

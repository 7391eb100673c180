/**
 * Every kind of handshake, over loopback and a cable, for a trace that goes on for long.
 *
 * @module
 */
import { messageOf } from "../../src/text/message.ts";
import { lineReader } from "../line_reader.ts";
import { compileC } from "./compile.ts";
import { type Namespace, until } from "./namespace.ts";

/** Below those that clients are given, and of its own: the kernel tells of others that soak here, too. */
const OPEN_PORT = 10_000 + 4 * (Deno.pid % 5_000);
const FLOOD_PORT = OPEN_PORT + 1;
const CLOSED_PORT = OPEN_PORT + 2;
/** Those of all its handshakes, for a filter. */
export const SOAK_PORTS = [OPEN_PORT, FLOOD_PORT, CLOSED_PORT].join(",");

const HERE = "10.81.0.1";
const THERE = "10.81.0.2";
const HERE_V6 = "fd81::1";
const THERE_V6 = "fd81::2";

/** A second cable, whose end here is made again and renamed. */
const SPARE = "spare0";
const SPARE_RENAMED = "spare1";
const SPARE_HERE = "10.83.0.1";
const SPARE_THERE = "10.83.0.2";
/** The ends of the cables here, and loopback. */
export const SOAK_INTERFACES = ["lo", "veth0", SPARE];

/** Names that are no UTF-8, as printf(1) takes them: of a control group, and of the process in it. */
const ODD_GROUP = "pod-\\233";
const ODD_COMM = "\\377\\033[2Jc";
/** Whether a process, as it is reported, is that of {@linkcode SoakTraffic.oddlyNamed}. */
export function isOddlyNamed(process: { comm?: string; cgroup_path?: string } = {}): boolean {
  const { comm, cgroup_path: group = "" } = process;
  return comm === "\ufffd\x1b[2Jc" && group.endsWith("/pod-\ufffd");
}

/** Of each kind in each cycle. */
const CONNECTIONS = 500;
const REFUSALS = 200;
const RESETS = 200;
const HALF_OPEN = 1_000;
const FLOOD_RATE = 20_000;
/** A second, where there must be no more than a ring holds while nobody reads it. */
const PACED_RATE = 300;

/** Handshakes by their outcome. */
export type Counts = Record<string, number>;

/** Two hosts, the cables between them, and the programs that connect. */
export class SoakTraffic implements AsyncDisposable {
  /** What was made so far. */
  readonly made: Counts = { established: 0, refused: 0, aborted: 0, half_open: 0 };
  /**
   * Connections whose reset overtook the ACK, on another processor: connect() succeeded, and accept()
   * never heard of them. Where the client's kernel tells, they are established, by packets aborted.
   */
  overtaken = 0;
  /** Of what was made, by processes with names that are no UTF-8. */
  madeByOdd = 0;
  /** Why no control group can be made here; undefined where one can. */
  withoutCgroups: string | undefined;
  readonly #here: Namespace;
  readonly #there: Namespace;
  readonly #connectLoad: string;
  readonly #packetLoad: string;
  readonly #pacedConnect: string;
  readonly #thereEnd: string;
  readonly #mac: string;
  #client = 0;

  private constructor(
    here: Namespace,
    there: Namespace,
    programs: readonly [connectLoad: string, packetLoad: string, pacedConnect: string],
    cable: { thereEnd: string; mac: string },
  ) {
    [this.#here, this.#there] = [here, there];
    [this.#connectLoad, this.#packetLoad, this.#pacedConnect] = programs;
    this.#thereEnd = cable.thereEnd;
    this.#mac = cable.mac;
  }

  /** Lays the cables. @param here Where the trace is. @param folder For the programs. */
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
      await source("../bench/paced_connect.c"),
    ] as const;
    const traffic = new SoakTraffic(here, there, programs, { thereEnd, mac });
    // Accepts nothing: whoever connects there never answers. It ends with its namespace.
    await traffic.#listen(HERE, FLOOD_PORT, 1);
    await traffic.laySpare();
    traffic.withoutCgroups = await traffic.#makeCgroup();
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

  /** Connections of a host with itself, at a rate, for so many seconds. */
  async paced(seconds: number): Promise<void> {
    const count = Math.ceil(PACED_RATE * seconds);
    const ended = await this.#listen("127.0.0.1", OPEN_PORT, count);
    await this.#here.run(
      ...[this.#pacedConnect, "127.0.0.1", OPEN_PORT, PACED_RATE, count].map(String),
    );
    this.#connected(count, await ended());
  }

  /** Connections from the other end of the cable. */
  async overCable(version: "ipv4" | "ipv6"): Promise<void> {
    await this.#fromThere(version === "ipv4" ? HERE : HERE_V6);
  }

  /** Connections from the other end of the second cable. */
  async overSpare(): Promise<void> {
    await this.#fromThere(SPARE_HERE);
  }

  async #fromThere(address: string): Promise<void> {
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
    const said = lineReader(server.stdout);
    await said.read();
    return async () => {
      const { value } = await said.read();
      await said.cancel();
      await server.status;
      return Number(value);
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
    await isUp(this.#there, this.#thereEnd);
  }

  /** Lays the second cable. */
  async laySpare(): Promise<void> {
    await this.#here.ip(
      ...["link", "add", SPARE, "type", "veth", "peer", "name", SPARE],
      ...["netns", this.#there.name],
    );
    for (
      const [namespace, address] of [
        [this.#there, SPARE_THERE],
        [this.#here, SPARE_HERE],
      ] as const
    ) {
      await namespace.ip("address", "add", `${address}/24`, "dev", SPARE);
      await namespace.ip("link", "set", SPARE, "up");
    }
    await isUp(this.#here, SPARE);
    await isUp(this.#there, SPARE);
  }

  /** Takes the second cable away. */
  async removeSpare(): Promise<void> {
    await this.#here.ip("link", "delete", SPARE);
  }

  /** Gives the end of the second cable here another name. @returns Gives it its own again. */
  async renameSpare(): Promise<() => Promise<void>> {
    await this.#here.ip("link", "set", SPARE, "name", SPARE_RENAMED);
    return async () => {
      await this.#here.ip("link", "set", SPARE_RENAMED, "name", SPARE);
    };
  }

  /** Connections of a process in a control group, both with names that are no UTF-8. */
  async oddlyNamed(): Promise<void> {
    const said = await this.#inCgroups(
      `echo $$ >"$group/cgroup.procs"
      exec "$@" "$(printf '${ODD_COMM}')"`,
      ...[this.#connectLoad, "127.0.0.1", OPEN_PORT, CONNECTIONS].map(String),
    );
    this.#connected(CONNECTIONS, Number(said.trim().split(" ").at(-1)));
    this.madeByOdd += CONNECTIONS;
  }

  /** @returns Why it cannot be made; undefined where it was. */
  async #makeCgroup(): Promise<string | undefined> {
    try {
      await this.#inCgroups(
        `mkdir -p "$group"
        (echo $$ >"$group/cgroup.procs") || { rmdir "$group" "$above"; exit 1; }`,
      );
      return undefined;
    } catch (error) {
      return messageOf(error).trim().split("\n").at(-1);
    }
  }

  /** Runs a script, to which `$group` is the folder of the oddly named control group. */
  #inCgroups(script: string, ...args: string[]): Promise<string> {
    const group = `/sys/fs/cgroup/synsnoop-soak-${Deno.pid}`;
    return this.#here.run(
      ...["sh", "-ec"],
      `mount -t cgroup2 none /sys/fs/cgroup
      above=${group}; group="$above/$(printf '${ODD_GROUP}')"
      ${script}`,
      ...["sh", ...args],
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.withoutCgroups === undefined) await this.#inCgroups('rmdir "$group" "$above"');
  }
}

async function isUp(namespace: Namespace, name: string): Promise<void> {
  await until(
    `the cable is up at ${name}`,
    async () => (await namespace.ip("link", "show", name)).includes("state UP"),
  );
}

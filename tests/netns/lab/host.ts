/**
 * A host of the lab: a namespace with addresses, sockets, a firewall, and a ghost beside it, an
 * address that nobody has, from which packets made by hand are sent.
 *
 * @module
 */
import { compileC } from "../compile.ts";
import type { Namespace } from "../namespace.ts";
import { CraftedEnd } from "./crafted_end.ts";
import { type SocketOptions, TcpSocket } from "./tcp_socket.ts";

/**
 * The second byte of every address: kernel events come from all namespaces of the machine, so two
 * runs at the same time must not share addresses.
 */
export const RUN = 64 + Deno.pid % 128;

/** Everything in the lab, for the tracers' filter. */
export const LAB_NETWORKS = [`10.${RUN}.0.0/16`, `fd00:${RUN}::/32`] as const;

/** Networks with these numbers. */
export const CLIENT_NETWORK = 1;
/** The server's side of the router. */
export const SERVER_NETWORK = 2;

/** Last bytes of addresses in each network. */
const HOST = 1;
const GHOST = 66;
/** The router's, in both networks. */
export const GATEWAY = 254;

const folder = await Deno.makeTempDir({ prefix: "synsnoop-lab-" });
globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
const connectLoad = await compileC(new URL("../connect_load.c", import.meta.url), folder);

/** An IPv4 address in the lab. */
export function ipv4(network: number, host: number): string {
  return `10.${RUN}.${network}.${host}`;
}

/** An IPv6 address in the lab. */
export function ipv6(network: number, host: number): string {
  return `fd00:${RUN}:${network}::${host}`;
}

/** How to listen. */
export interface ListenOptions extends SocketOptions {
  /** Connections that may wait to be accepted, less one. */
  backlog?: number;
  /** Own address; by default all of IPv4, or of both families with `ipv6`. */
  address?: string;
}

/** How to connect. */
export interface ConnectOptions extends SocketOptions {
  /** Own port; else the kernel chooses at connect(). */
  ownPort?: number;
}

/** One end of the lab's cables. */
export class Host implements AsyncDisposable {
  readonly namespace: Namespace;
  readonly address: string;
  readonly address6: string;
  /** Nobody's address in the same network: no kernel answers what is sent to it. */
  readonly ghostAddress: string;
  readonly ghostAddress6: string;
  /** What its cable to the router is, and the Ethernet address at the router's end. */
  link = { interfaceIndex: 0, routerMac: new Uint8Array(6) };
  readonly #open: Disposable[] = [];

  /** @param network Number of the network it is in. */
  constructor(namespace: Namespace, network: number, host: number = HOST) {
    this.namespace = namespace;
    this.address = ipv4(network, host);
    this.address6 = ipv6(network, host);
    this.ghostAddress = ipv4(network, GHOST);
    this.ghostAddress6 = ipv6(network, GHOST);
  }

  /** Makes a socket that listens. */
  listen(port: number, options: ListenOptions = {}): TcpSocket {
    const { backlog = 16, address = options.ipv6 ? "::" : "0.0.0.0" } = options;
    return this.#own(TcpSocket.open(this.namespace, options)).bind(address, port).listen(backlog);
  }

  /** Makes a socket that is not connected yet. */
  socket(options: ConnectOptions = {}): TcpSocket {
    const socket = this.#own(TcpSocket.open(this.namespace, options));
    const { ipv6, ownPort } = options;
    return ownPort === undefined ? socket : socket.bind(ipv6 ? "::" : "0.0.0.0", ownPort);
  }

  /** Makes a socket and begins to connect. */
  connect(address: string, port: number, options: ConnectOptions = {}): TcpSocket {
    return this.socket({ ipv6: address.includes(":"), ...options }).connect(address, port);
  }

  /** One end of a connection made by hand, from the ghost's address. */
  ghost(port: number, peerAddress: string, peerPort: number): CraftedEnd {
    return this.#own(
      new CraftedEnd({
        namespace: this.namespace,
        interfaceIndex: this.link.interfaceIndex,
        nextHop: this.link.routerMac,
        address: peerAddress.includes(":") ? this.ghostAddress6 : this.ghostAddress,
        port,
        peerAddress,
        peerPort,
      }),
    );
  }

  #own<T extends Disposable>(resource: T): T {
    this.#open.push(resource);
    return resource;
  }

  /** Makes the firewall that {@link firewall} and {@link block} write to. */
  async raiseFirewall(): Promise<void> {
    const chains = ["input", "forward", "output"].map((hook) =>
      `chain ${hook} { type filter hook ${hook} priority 0; tcp dport @blocked drop; }`
    );
    const table = ["table inet lab {", "set blocked { type inet_service; }", ...chains, "}"];
    await this.nft(table.join("\n"));
  }

  /** Runs nft on some text. */
  async nft(text: string): Promise<void> {
    await this.namespace.run("nft", text);
  }

  /** Adds a rule of nft's to what comes in, goes through or goes out. */
  async firewall(chain: "input" | "forward" | "output", rule: string): Promise<void> {
    await this.nft(`add rule inet lab ${chain} ${rule}`);
  }

  /** Drops everything to a port, until {@link unblock}. */
  async block(port: number): Promise<void> {
    await this.nft(`add element inet lab blocked { ${port} }`);
  }

  /** Lets pass what {@link block} dropped. */
  async unblock(port: number): Promise<void> {
    await this.nft(`delete element inet lab blocked { ${port} }`);
  }

  /** Starts a program that waits inside connect(); it fails when connect() does. */
  blockingConnect(address: string, port: number): Deno.ChildProcess {
    const command = [connectLoad, address, String(port), "1", "--connect"];
    return this.namespace.spawn(command, { stdout: "null", stderr: "null" });
  }

  /** What a counter of the namespace stands at, by nstat's name. */
  async counter(name: string): Promise<number> {
    const text = await this.namespace.run("nstat", "-asz", name);
    const line = text.split("\n").find((each) => each.startsWith(name));
    if (line === undefined) throw new Error(`Cannot read "${name}": nstat has no such counter`);
    return Number(line.split(/\s+/)[1]);
  }

  /** Fails unless the kernel sent SYN cookies: else a scenario would not show what it says. */
  async assertCookiesSent(): Promise<void> {
    if (await this.counter("TcpExtSyncookiesSent") === 0) {
      throw new Error("Cannot go on: no SYN cookie was sent");
    }
  }

  /** Sets a parameter of this namespace. */
  async sysctl(name: string, value: string | number): Promise<void> {
    await this.namespace.run("sysctl", "-qw", `${name}=${value}`);
  }

  /** Closes its sockets and deletes the namespace. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const resource of this.#open) resource[Symbol.dispose]();
    await this.namespace[Symbol.asyncDispose]();
  }
}

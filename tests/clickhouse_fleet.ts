/**
 * ClickHouse servers for a test: Debian's old one (18.16, of Debian 12), unpacked into the cache of the
 * tests and not installed, one to three of it as shards of a cluster on loopback.
 *
 * @module
 */
import { messageOf } from "../src/text/message.ts";
import { freePorts } from "./free_ports.ts";
import { until } from "./netns/namespace.ts";
import { cached } from "./vm/cache.ts";
import { DebianArchive } from "./vm/debian_archive.ts";

/** The last suite that has it. */
const SUITE = "bookworm";
const MULTIARCH = "x86_64-linux-gnu";
/** The name of the cluster, for `Distributed`. */
export const CLUSTER = "fleet";

let found: Promise<{ command: string[] } | string> | undefined;

/** Finds the server. @returns How it is run, or why it cannot be had here. */
export function findClickHouse(): Promise<{ command: string[] } | string> {
  return found ??= find();
}

async function find(): Promise<{ command: string[] } | string> {
  if (Deno.build.arch !== "x86_64") return "Debian's ClickHouse is unpacked for x86_64 alone";
  try {
    const folder = await cached(`${SUITE}-clickhouse`, async (partial) => {
      if (Deno.env.get("SYNSNOOP_SETUP") === "never") {
        throw new Error("SYNSNOOP_SETUP=never forbids fetching it");
      }
      const lists = await Deno.makeTempDir({ prefix: "synsnoop-debian-" });
      try {
        const archive = await DebianArchive.open(SUITE, lists);
        await archive.unpackClosure(["clickhouse-server"], `${partial}/root`);
      } finally {
        await Deno.remove(lists, { recursive: true });
      }
    });
    const root = `${folder}/root`;
    const libraries = ["usr/lib", "lib"].map((lib) => `${root}/${lib}/${MULTIARCH}`);
    const loader = `${root}/lib64/ld-linux-x86-64.so.2`;
    const server = `${root}/usr/sbin/clickhouse-server`;
    return { command: [loader, "--library-path", libraries.join(":"), server] };
  } catch (error) {
    return `ClickHouse cannot be had: ${messageOf(error).split("\n")[0]}`;
  }
}

/** What a fleet is to be. */
export interface FleetOptions {
  /** How many servers, each a shard of {@linkcode CLUSTER}. */
  servers: 1 | 2 | 3;
  /** Users beside `default`, which has no password: what stands in `users`, XML. */
  users?: string;
  /** Profiles beside `default`: what stands in `profiles`, XML. */
  profiles?: string;
  /** Has the first server also speak HTTPS, with these files. */
  tls?: { certificate: string; key: string };
}

interface Server {
  folder: string;
  http: number;
  tcp: number;
  process: Deno.ChildProcess | undefined;
}

/** Servers that run until this is disposed of. */
export class ClickHouseFleet implements AsyncDisposable {
  readonly #folder: string;
  readonly #command: readonly string[];
  readonly #servers: Server[];
  /** The port of HTTPS of the first server. */
  readonly httpsPort: number;

  private constructor(folder: string, command: readonly string[], ports: readonly number[]) {
    this.#folder = folder;
    this.#command = command;
    const [https, ...rest] = ports;
    this.httpsPort = https;
    this.#servers = Array.from({ length: rest.length / 3 }, (_, at) => ({
      folder: `${folder}/${at + 1}`,
      http: rest[3 * at],
      tcp: rest[3 * at + 1],
      process: undefined,
    }));
  }

  /** Starts servers, each with nothing in it. @param found What {@linkcode findClickHouse} found. */
  static async start(
    found: { command: string[] },
    options: FleetOptions,
  ): Promise<ClickHouseFleet> {
    const folder = await Deno.makeTempDir({ prefix: "synsnoop-clickhouse-" });
    const ports = freePorts(1 + 3 * options.servers);
    const fleet = new ClickHouseFleet(folder, found.command, ports);
    for (const [at, { folder, http, tcp }] of fleet.#servers.entries()) {
      for (const name of ["data", "tmp", "log"]) {
        await Deno.mkdir(`${folder}/${name}`, { recursive: true });
      }
      const tls = at === 0 ? options.tls : undefined;
      await Deno.writeTextFile(
        `${folder}/config.xml`,
        fleet.#config(folder, [http, tcp, ports[3 + 3 * at]], tls),
      );
      await Deno.writeTextFile(`${folder}/users.xml`, usersOf(options));
    }
    try {
      await Promise.all(fleet.#servers.map((_, at) => fleet.startServer(at)));
    } catch (error) {
      await fleet[Symbol.asyncDispose]();
      throw error;
    }
    return fleet;
  }

  /** The address of a server. */
  url(at = 0): string {
    return `http://127.0.0.1:${this.#servers[at].http}`;
  }

  /** Starts a server that was stopped, with what it had. */
  async startServer(at: number): Promise<void> {
    const server = this.#servers[at];
    const [program, ...args] = this.#command;
    const log = `${server.folder}/log/server.log`;
    const child = new Deno.Command(program, {
      args: [...args, `--config-file=${server.folder}/config.xml`],
      cwd: server.folder,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    server.process = child;
    let hasEnded = false;
    child.status.then(() => hasEnded = true);
    await until(`an answer of ClickHouse at ${this.url(at)}`, async () => {
      if (hasEnded) throw new Error(`ClickHouse ended: ${await Deno.readTextFile(log)}`);
      return await fetch(this.url(at)).then(async (it) => await it.text() === "Ok.\n", () => false);
    });
  }

  /** Ends a server: as it wants to, or with SIGKILL at once. */
  async stopServer(at: number, signal: Deno.Signal = "SIGTERM"): Promise<void> {
    const { process } = this.#servers[at];
    this.#servers[at].process = undefined;
    if (process === undefined) return;
    process.kill(signal);
    await process.status;
  }

  /** Asks a server as its user `default`. @returns The answer. @throws {Error} Its words. */
  async sql(sql: string, at = 0, settings: Record<string, string> = {}): Promise<string> {
    const response = await fetch(`${this.url(at)}/?${new URLSearchParams(settings)}`, {
      method: "POST",
      body: sql,
    });
    const text = await response.text();
    if (!response.ok) throw new Error(text);
    return text.trimEnd();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // What is in them is not needed any more.
    await Promise.all(this.#servers.map((_, at) => this.stopServer(at, "SIGKILL")));
    await Deno.remove(this.#folder, { recursive: true });
  }

  #config(
    folder: string,
    [http, tcp, interserver]: readonly number[],
    tls: FleetOptions["tls"],
  ): string {
    const shards = this.#servers.map(({ tcp }) =>
      "<shard><internal_replication>true</internal_replication>" +
      `<replica><host>127.0.0.1</host><port>${tcp}</port></replica></shard>`
    ).join("");
    const https = tls === undefined ? "" : `<https_port>${this.httpsPort}</https_port>
<openSSL><server><certificateFile>${tls.certificate}</certificateFile>
<privateKeyFile>${tls.key}</privateKeyFile><verificationMode>none</verificationMode>
<loadDefaultCAFile>false</loadDefaultCAFile></server></openSSL>`;
    return `<yandex>
<logger><level>warning</level><log>${folder}/log/server.log</log>
<errorlog>${folder}/log/error.log</errorlog><size>10M</size><count>1</count></logger>
<listen_host>127.0.0.1</listen_host><http_port>${http}</http_port><tcp_port>${tcp}</tcp_port>
<interserver_http_port>${interserver}</interserver_http_port>
<interserver_http_host>127.0.0.1</interserver_http_host>${https}
<max_connections>64</max_connections><keep_alive_timeout>3</keep_alive_timeout>
<max_concurrent_queries>32</max_concurrent_queries><uncompressed_cache_size>0</uncompressed_cache_size>
<mark_cache_size>67108864</mark_cache_size><mlock_executable>false</mlock_executable>
<path>${folder}/data/</path><tmp_path>${folder}/tmp/</tmp_path>
<users_config>${folder}/users.xml</users_config>
<default_profile>default</default_profile><default_database>default</default_database>
<remote_servers><${CLUSTER}>${shards}</${CLUSTER}></remote_servers>
</yandex>
`;
  }
}

function usersOf({ users = "", profiles = "" }: FleetOptions): string {
  return `<yandex>
<profiles><default><max_memory_usage>1500000000</max_memory_usage><max_threads>2</max_threads>
<connect_timeout_with_failover_ms>500</connect_timeout_with_failover_ms></default>${profiles}</profiles>
<users><default><password></password><networks><ip>127.0.0.1</ip></networks>
<profile>default</profile><quota>default</quota></default>${users}</users>
<quotas><default><interval><duration>3600</duration><queries>0</queries><errors>0</errors>
<result_rows>0</result_rows><read_rows>0</read_rows><execution_time>0</execution_time>
</interval></default></quotas>
</yandex>
`;
}

import type { Leg } from "../../match/legs.ts";
import {
  CONTAINER_ID_PREFIX,
  type HandshakeFilter,
  type Network,
  type PortRange,
} from "../../pipeline/filter.ts";
import type { Moment } from "../../text/time.ts";
import { formatAddress } from "../../wire/address.ts";
import type { Dialect } from "./dialect.ts";

/** The name of the table of the addresses that are in some networks, see {@linkcode filterSql}. */
export type AddressTables = ReadonlyMap<readonly Network[], string>;

const ENDS = ["client", "server"] as const;
/** What nothing fits, where not all databases know the word false. */
const NEVER = "1 = 0";
/** Bits of a whole address. */
const ADDRESS_BITS = 128;
const LEG_SQL: Readonly<Record<Leg, string>> = {
  network: "network_rtt_ns",
  client: "rtt_client_ns",
  server: "rtt_server_ns",
  total: "rtt_total_ns",
};

/**
 * A filter as a condition of SQL: it lets pass what the filter of handshakes does.
 *
 * @param addresses Where the addresses of networks stand that are more than one address.
 * @returns Undefined where all pass.
 */
export function filterSql(
  filter: HandshakeFilter,
  dialect: Dialect,
  addresses: AddressTables = new Map(),
): string | undefined {
  const conditions: string[] = [];
  const add = <T>(value: T | undefined, condition: (value: T) => string) => {
    if (value !== undefined) conditions.push(`(${condition(value)})`);
  };
  const atEither = (condition: (end: string) => string) => ENDS.map(condition).join(" OR ");
  const none = (condition: string) => `NOT coalesce(${condition}, ${NEVER})`;
  const inNetworks = (networks: readonly Network[]) =>
    atEither((end) => inNetwork(`${end}_address`, networks, addresses, dialect));
  const called = (names: readonly string[]) =>
    atEither((end) =>
      isOneOf(`${end}_process_comm`, names, dialect) + " OR " +
      isOneOf(`${end}_process_thread_comm`, names, dialect)
    );
  const contained = (wanted: readonly string[]) =>
    atEither((end) => wanted.map((each) => isContained(end, each, dialect)).join(" OR "));

  add(filter.sample, (oneOf) => `client_isn IS NULL OR ${mixed(dialect)} < ${2 ** 32 / oneOf}`);
  add(filter.captured || undefined, () => dialect.has("evidence", "wire"));
  add(filter.roles, (roles) => isOneOf("role", roles, dialect));
  add(filter.outcomes, (outcomes) => isOneOf("outcome", outcomes, dialect));
  add(
    filter.reasons,
    (reasons) =>
      ["reason", "reset_reason", "drop_reason"].map((name) => isOneOf(name, reasons, dialect)).join(
        " OR ",
      ),
  );
  add(filter.slowerThan, ({ leg, ns }) => `${LEG_SQL[leg]} > ${ns}`);
  add(filter.since, (moment) => `${dialect.ns("time")} >= ${momentNs(moment)}`);
  add(filter.until, (moment) => `${dialect.ns("time")} < ${momentNs(moment)}`);
  add(filter.tracedOn, (hosts) => isOneOf("host", hosts, dialect));
  add(filter.ports, (ports) => atEither((end) => isWithin(`${end}_port`, ports)));
  add(filter.serverPorts, (ports) => isWithin("server_port", ports));
  add(filter.notPorts, (ports) => none(`(${atEither((end) => isWithin(`${end}_port`, ports))})`));
  add(filter.networks, inNetworks);
  add(filter.notNetworks, (networks) => none(`(${inNetworks(networks)})`));
  add(filter.comms, called);
  add(filter.notComms, (names) => `${none(`(${called(names)})`)}`);
  add(filter.pids, (pids) => atEither((end) => isIn(`${end}_process_pid`, pids)));
  add(filter.uids, (uids) => atEither((end) => isIn(`${end}_process_uid`, uids)));
  add(
    filter.cgroups,
    (paths) => atEither((end) => isBelow(`${end}_process_cgroup_path`, paths, dialect)),
  );
  add(filter.containers, contained);
  add(filter.notContainers, (wanted) => none(`(${contained(wanted)})`));
  return conditions.length > 0 ? conditions.join(" AND ") : undefined;
}

/** Networks of a filter that are more than one address: whoever asks finds the addresses in them. */
export function wideNetworks({ networks, notNetworks }: HandshakeFilter): (readonly Network[])[] {
  return [networks, notNetworks].filter((each) => each !== undefined)
    .filter((each) => each.some(({ bits }) => bits < ADDRESS_BITS));
}

function isOneOf(name: string, texts: readonly string[], { text }: Dialect): string {
  return texts.length > 0 ? `${name} IN (${texts.map(text).join(", ")})` : NEVER;
}

function isIn(name: string, numbers: readonly number[]): string {
  return numbers.length > 0 ? `${name} IN (${numbers.join(", ")})` : NEVER;
}

function isWithin(name: string, ranges: readonly PortRange[]): string {
  const tests = ranges.map(({ first, last }) => `${name} BETWEEN ${first} AND ${last}`);
  return tests.length > 0 ? `(${tests.join(" OR ")})` : NEVER;
}

function inNetwork(
  name: string,
  networks: readonly Network[],
  addresses: AddressTables,
  dialect: Dialect,
): string {
  const table = addresses.get(networks);
  if (table !== undefined) return `${name} IN (SELECT address FROM ${table})`;
  const isOne = ({ bits }: Network) => dialect.inNetwork === undefined || bits === ADDRESS_BITS;
  const [some, wide] = [networks.filter(isOne), networks.filter((each) => !isOne(each))];
  return [
    isOneOf(name, some.map(({ words }) => formatAddress(words)), dialect),
    ...wide.map((network) => dialect.inNetwork!(name, network)),
  ].join(" OR ");
}

function isBelow(name: string, paths: readonly string[], { startsWith, text }: Dialect): string {
  const tests = paths.map((path) => `${name} = ${text(path)} OR ${startsWith(name, `${path}/`)}`);
  return tests.length > 0 ? `(${tests.join(" OR ")})` : NEVER;
}

function isContained(end: string, wanted: string, { startsWith, text }: Dialect): string {
  const [id, name] = ["id", "name"].map((part) => `${end}_process_container_${part}`);
  const byName = `${name} = ${text(wanted)}`;
  return CONTAINER_ID_PREFIX.test(wanted) ? `${byName} OR ${startsWith(id, wanted)}` : byName;
}

/** The client's initial sequence number as `isSampled` of the filter mixes it. */
function mixed({ xor, lowBits, shiftRight, asUnsigned }: Dialect): string {
  const times = (value: string, by: number) => lowBits(`${value} * ${by}`);
  const folded = (value: string, by: number) => xor(value, shiftRight(value, by));
  const isn = asUnsigned("client_isn");
  return folded(times(folded(times(folded(isn, 16), 0x85ebca6b), 13), 0xc2b2ae35), 16);
}

/** Nanoseconds of Unix time, which a number does not hold. */
function momentNs({ seconds, ns }: Moment): bigint {
  return BigInt(seconds) * 1_000_000_000n + BigInt(ns);
}

/**
 * Hosts by their keys, with names that tell them apart.
 *
 * @module
 */
import { countOf } from "../../text/count.ts";
import { InputError } from "../../files/input_error.ts";
import type { HostPairValue } from "./pair_rules.ts";

/** Digits of an id that tell hosts of one name apart. */
const ID_DIGITS = 8;
/** Clocks that are further apart than this are worth a word, nanoseconds. */
const FAR_NS = 60e9;

/** A name that the ends of a host gave. */
export interface ToldHost {
  key: string;
  name: string;
  /** When it was last told, nanoseconds. */
  lastNs: bigint;
}

/** The hosts of a question. */
export class Hosts {
  readonly #shown = new Map<string, string>();
  /** What is to be said of them, sentences. */
  readonly notes: string[];

  /**
   * @param nameless Records that name no host.
   * @throws {InputError} The records are of one host alone.
   */
  constructor(told: readonly ToldHost[], nameless: number) {
    const named = [...Map.groupBy(told, ({ key }) => key)].map(([key, names]) => ({
      key,
      name: names.reduce((one, other) => isLater(other, one) ? other : one).name,
      names: names.map(({ name }) => name).sort(),
    })).sort((one, other) => compare(one.name, other.name) || compare(one.key, other.key));
    assertSeveral(named.map(({ name }) => name), nameless);
    const sharing = Map.groupBy(named, ({ name }) => name);
    for (const { key, name } of named) {
      const isShared = sharing.get(name)!.length > 1;
      this.#shown.set(key, isShared ? `${name} (${key.slice(0, ID_DIGITS)})` : name);
    }
    this.notes = [
      ...nameless > 0
        ? [countOf(
          nameless,
          "record names no host, and is left out",
          "records name no host, and are left out",
        )]
        : [],
      ...[...sharing].filter(([, hosts]) => hosts.length > 1).map(([name, hosts]) =>
        `${hosts.length} hosts are called "${name}": they are told apart by their ids`
      ),
      ...named.filter(({ names }) => names.length > 1).map(({ key, names }) =>
        `${names.map((name) => `"${name}"`).join(" and ")} are one host by its id: it is called ` +
        `"${this.nameOf(key)}"`
      ),
    ];
  }

  /** The name of a host. */
  nameOf(key: string): string {
    return this.#shown.get(key) ?? key;
  }

  /** What is to be said of clocks that are far apart, sentences. */
  describeClocks(offsets: readonly HostPairValue[]): string[] {
    const known = new Set(offsets.map(({ client, server }) => `${client}\n${server}`));
    return offsets.filter(({ client, server, value }) =>
      Math.abs(value) >= FAR_NS &&
      (compare(client, server) < 0 || !known.has(`${server}\n${client}`))
    ).map(({ client, server, value }) => ({
      one: this.nameOf(client),
      other: this.nameOf(server),
      value,
    })).sort((a, b) => compare(a.one, b.one) || compare(a.other, b.other))
      .map(({ one, other, value }) =>
        `the clock of "${other}" is about ${hours(Math.abs(value))} ` +
        `${value < 0 ? "behind" : "ahead of"} the one of "${one}": pairs are found by their numbers`
      );
  }
}

function assertSeveral(names: readonly string[], nameless: number): void {
  if (names.length >= 2) return;
  if (names.length + nameless === 0) {
    throw new InputError(
      "Cannot find pairs: no record is of one end of a handshake, by its role client or server; " +
        "give those of both ends",
    );
  }
  const hosts = names.length === 0 ? "no host" : `"${names[0]}" alone`;
  const rest = nameless > 0 ? `, ${nameless} of them name none` : "";
  throw new InputError(
    `Cannot find pairs: the records are of ${hosts}${rest}; give those of both ends of a handshake`,
  );
}

function isLater(one: ToldHost, other: ToldHost): boolean {
  return one.lastNs > other.lastNs || one.lastNs === other.lastNs && one.name > other.name;
}

/** The order of texts. */
export function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

function hours(ns: number): string {
  const minutes = ns / 60e9;
  return minutes < 120 ? `${minutes.toFixed(0)} minutes` : `${(minutes / 60).toFixed(1)} hours`;
}

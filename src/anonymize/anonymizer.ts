/**
 * Handshakes as they may be shown to others: who it was cannot be told, how it went can.
 *
 * @module
 */
import type { Process } from "../kernel/kernel_record.ts";
import type { Address, Endpoint, Handshake, Tuple } from "../match/handshake.ts";
import type { Disguise, Identity } from "../pipeline/disguise.ts";
import type { Source } from "../pipeline/sink.ts";
import { AddressAnonymizer } from "./addresses.ts";
import { AnonymousContext } from "./anonymous_context.ts";
import { Pseudonyms } from "./pseudonyms.ts";
import { hideStatus } from "./status_members.ts";

/** What the kernel and its protocols call something: it names nobody. */
const SYMBOL = /^[A-Z][A-Z0-9_]{0,63}$/;

/** Hides in handshakes, and in what is said beside them, whose they are. README.md tells what stays. */
export class Anonymizer implements Disguise {
  readonly #addresses: AddressAnonymizer;
  readonly #names: Pseudonyms;

  /** @param key `KEY_BYTES` random bytes. */
  constructor(key: Uint8Array) {
    this.#addresses = new AddressAnonymizer(key);
    this.#names = new Pseudonyms(key);
  }

  /** See {@link Disguise.source}. */
  source(source: Source): Source {
    const context = new AnonymousContext(source.context, this.#names);
    return {
      context,
      get epochSeconds() {
        return source.epochSeconds;
      },
      interfaceInFile: (place) => context.interfaceName(place),
      hidesData: (place) => source.hidesData(place),
      counters: (fresh) => {
        const counters = source.counters(fresh);
        const { delivering } = counters;
        if (delivering === undefined) return counters;
        const wire = delivering.wire.map((each) =>
          each.interface === undefined
            ? each
            : { ...each, interface: context.interfaceOf(each.interface) }
        );
        return { ...counters, delivering: { ...delivering, wire } };
      },
    };
  }

  /** See {@link Disguise.handshake}. */
  handshake(handshake: Handshake): Handshake {
    const { client, server, translated, icmp, reason, resetReason, dropReason } = handshake;
    return {
      ...handshake,
      client: this.#endpoint(client),
      server: this.#endpoint(server),
      translated: translated && this.#tuple(translated),
      icmp: icmp && { ...icmp, reporter: this.#addresses.of(icmp.reporter) },
      reason: this.#symbol(reason),
      resetReason: this.#symbol(resetReason),
      dropReason: this.#symbol(dropReason),
    };
  }

  /** See {@link Disguise.event}: a status line; of others nobody asks for names. */
  event(
    event: string,
    members: Readonly<Record<string, unknown>>,
  ): Readonly<Record<string, unknown>> | undefined {
    return event === "status" ? hideStatus(members, this.#names) : undefined;
  }

  /** See {@link Disguise.identity}. */
  identity(identity: Identity): Identity {
    const nowhere = { ...identity, interfaceName: () => undefined };
    const { host, hostId, tracer } = new AnonymousContext(nowhere, this.#names);
    return { host, hostId, tracer };
  }

  #endpoint(endpoint: Endpoint): Endpoint {
    const { address, process } = endpoint;
    return {
      ...endpoint,
      address: this.#addresses.of(address),
      process: process && this.#process(process),
    };
  }

  #tuple({ client, server }: Tuple): Tuple {
    const address = (end: Address): Address => ({
      ...end,
      address: this.#addresses.of(end.address),
    });
    return { client: address(client), server: address(server) };
  }

  #process(process: Process): Process {
    const { comm, uid, thread } = process;
    const nameOf = (text: string) => this.#names.word("comm", "comm", text);
    return {
      ...process,
      comm: nameOf(comm),
      uid: this.#names.uid(uid),
      thread: thread && {
        ...thread,
        ...thread.comm !== undefined && { comm: nameOf(thread.comm) },
      },
    };
  }

  /** What is no symbol stands in a record that somebody else wrote. */
  #symbol(text: string | undefined): string | undefined {
    if (text === undefined || SYMBOL.test(text)) return text;
    return this.#names.word("reason", "symbol", text);
  }
}

import type { Container, RecordContext } from "../record/record_context.ts";
import type { Pseudonyms } from "./pseudonyms.ts";

/** The loopback interface of each network namespace is called so: it names nothing. */
const LOOPBACK = "lo";
/** A run of the tool tells of nobody; in a record that somebody else wrote it may be any text. */
const TRACER = /^\d{1,10}-\d{1,16}$/;
const HOST_ID_DIGITS = 32;
const CONTAINER_ID_DIGITS = 64;

/** Every member of a context, so that none is forgotten. */
type Whole = { [Name in keyof Required<RecordContext>]: RecordContext[Name] };

/** Says what another context says, with other names. */
export class AnonymousContext implements Whole {
  readonly #real: RecordContext;
  readonly #names: Pseudonyms;

  /** @param real What it says in other words. */
  constructor(real: RecordContext, names: Pseudonyms) {
    this.#real = real;
    this.#names = names;
  }

  /** See {@link RecordContext.host}. */
  get host(): string {
    return this.#names.word("host", "host", this.#real.host);
  }

  /** See {@link RecordContext.hostId}. */
  get hostId(): string | undefined {
    const { hostId } = this.#real;
    return hostId && this.#names.digits("host_id", hostId, HOST_ID_DIGITS);
  }

  /** See {@link RecordContext.tracer}. */
  get tracer(): string | undefined {
    const { tracer } = this.#real;
    if (tracer === undefined || TRACER.test(tracer)) return tracer;
    return this.#names.word("tracer", "tracer", tracer);
  }

  /** See {@link RecordContext.interfaceName}. */
  interfaceName(place: number): string | undefined {
    const name = this.#real.interfaceName(place);
    return name === undefined ? undefined : this.interfaceOf(name);
  }

  /** The other name of an interface. */
  interfaceOf(name: string): string {
    return name === LOOPBACK ? name : this.#names.word("if", "interface", name);
  }

  /** See {@link RecordContext.netnsOf}. */
  netnsOf(place: number): number | undefined {
    return this.#real.netnsOf?.(place);
  }

  /** See {@link RecordContext.netnsName}. */
  netnsName(netns: number): string | undefined {
    const name = this.#real.netnsName?.(netns);
    return name && this.#names.word("netns", "netns", name);
  }

  /** See {@link RecordContext.cgroupPath}. */
  cgroupPath(id: number): string | undefined {
    const path = this.#real.cgroupPath?.(id);
    return path === undefined ? undefined : this.#names.path("cgroup", path);
  }

  /** See {@link RecordContext.container}. */
  container(cgroup: number): Container | undefined {
    const container = this.#real.container?.(cgroup);
    if (container === undefined) return undefined;
    const { id, name } = container;
    return {
      ...id !== undefined && {
        id: this.#names.digits("container_id", id, CONTAINER_ID_DIGITS),
      },
      ...name !== undefined && { name: this.#names.word("container", "container", name) },
    };
  }
}

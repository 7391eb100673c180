import type { Container } from "../kernel/container.ts";

export type { Container };

/** What a record tells beyond the handshake itself. */
export interface RecordContext {
  /** Name of the host that traced. */
  host: string;
  /** Which host that is, whatever its name; see `hostId`. Absent where that is not known, as of files. */
  hostId?: string;
  /** Which run of the tool it was, `PID-START`; absent where nobody traced. */
  tracer?: string;
  /** Name of an interface by its place number, undefined where it is gone or unknown. */
  interfaceName(place: number): string | undefined;
  /** Inode number of the network namespace of a place; absent where none is known, as in files. */
  netnsOf?(place: number): number | undefined;
  /**
   * What a network namespace is called, by its inode number: "" that of the tool itself, which needs no
   * name; undefined where it has none. Untrusted text.
   */
  netnsName?(netns: number): string | undefined;
  /** Path of a cgroup by its id, undefined where it is gone; untrusted text. */
  cgroupPath?(id: number): string | undefined;
  /** The container of a cgroup by its id, undefined where it is none; its name is untrusted text. */
  container?(cgroup: number): Container | undefined;
}

/** What one record that was read back tells beyond its handshake. */
export class RecordedContext implements RecordContext {
  /** Name of the host that traced: untrusted text. */
  host = "";
  /** See {@link RecordContext.hostId}: untrusted text. */
  hostId: string | undefined;
  /** See {@link RecordContext.tracer}: untrusted text. */
  tracer: string | undefined;
  readonly #interfaces: string[] = [];
  readonly #cgroupPaths = new Map<number, string>();
  readonly #containers = new Map<number, Container>();

  /**
   * The number that stands for an interface in this record.
   *
   * @param name Untrusted text. @returns From 1 on.
   */
  placeOf(name: string): number {
    const at = this.#interfaces.indexOf(name);
    return at < 0 ? this.#interfaces.push(name) : at + 1;
  }

  /** The name of an interface of {@link placeOf}; undefined for any other number. */
  interfaceName(place: number): string | undefined {
    return this.#interfaces[place - 1];
  }

  /** Takes the path of a cgroup. */
  setCgroupPath(id: number, path: string): void {
    this.#cgroupPaths.set(id, path);
  }

  /** The path that was taken for a cgroup. */
  cgroupPath(id: number): string | undefined {
    return this.#cgroupPaths.get(id);
  }

  /** Takes a part of what is known of a cgroup's container. */
  setContainer(cgroup: number, part: Container): void {
    this.#containers.set(cgroup, { ...this.#containers.get(cgroup), ...part });
  }

  /** The container whose parts were taken for a cgroup. */
  container(cgroup: number): Container | undefined {
    return this.#containers.get(cgroup);
  }
}

/** Every member of a context, so that none is forgotten. */
type Whole = { [Name in keyof Required<RecordContext>]: RecordContext[Name] };

/** Stands for other contexts, each for a while: what was given a context once keeps this one. */
export class CurrentContext implements Whole {
  readonly #current: () => RecordContext;

  /** @param current The context that it stands for now. */
  constructor(current: () => RecordContext) {
    this.#current = current;
  }

  /** The context that it stands for now, for who keeps a handshake longer. */
  get now(): RecordContext {
    return this.#current();
  }

  /** See {@link RecordContext.host}. */
  get host(): string {
    return this.#current().host;
  }

  /** See {@link RecordContext.hostId}. */
  get hostId(): string | undefined {
    return this.#current().hostId;
  }

  /** See {@link RecordContext.tracer}. */
  get tracer(): string | undefined {
    return this.#current().tracer;
  }

  /** See {@link RecordContext.interfaceName}. */
  interfaceName(place: number): string | undefined {
    return this.#current().interfaceName(place);
  }

  /** See {@link RecordContext.netnsOf}. */
  netnsOf(place: number): number | undefined {
    return this.#current().netnsOf?.(place);
  }

  /** See {@link RecordContext.netnsName}. */
  netnsName(netns: number): string | undefined {
    return this.#current().netnsName?.(netns);
  }

  /** See {@link RecordContext.cgroupPath}. */
  cgroupPath(id: number): string | undefined {
    return this.#current().cgroupPath?.(id);
  }

  /** See {@link RecordContext.container}. */
  container(cgroup: number): Container | undefined {
    return this.#current().container?.(cgroup);
  }
}

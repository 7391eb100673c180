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

/** What a record says of a cgroup. */
export interface RecordedCgroup {
  /** Its id. */
  readonly id: number;
  /** Its path: untrusted text. */
  path: string | undefined;
  /** Its container. */
  container: Container | undefined;
}

const NOTHING: readonly never[] = [];

/** What one record that was read back tells beyond its handshake. */
export class RecordedContext implements RecordContext {
  /** Name of the host that traced: untrusted text. */
  host = "";
  /** See {@link RecordContext.hostId}: untrusted text. */
  hostId: string | undefined;
  /** See {@link RecordContext.tracer}: untrusted text. */
  tracer: string | undefined;
  // Most records have few of these or none.
  #interfaces: string[] | undefined;
  /** Of a record's two processes. */
  #cgroups: RecordedCgroup[] | undefined;

  /**
   * The number that stands for an interface in this record.
   *
   * @param name Untrusted text. @returns From 1 on.
   */
  placeOf(name: string): number {
    const interfaces = this.#interfaces ??= [];
    const at = interfaces.indexOf(name);
    return at < 0 ? interfaces.push(name) : at + 1;
  }

  /** The name of an interface of {@link placeOf}; undefined for any other number. */
  interfaceName(place: number): string | undefined {
    return this.#interfaces?.[place - 1];
  }

  /**
   * The names of all interfaces of {@link placeOf}, in the order of their numbers.
   *
   * @internal
   */
  get interfaceNames(): readonly string[] {
    return this.#interfaces ?? NOTHING;
  }

  /**
   * All cgroups of which something was taken.
   *
   * @internal
   */
  get cgroups(): readonly RecordedCgroup[] {
    return this.#cgroups ?? NOTHING;
  }

  /** Takes the path of a cgroup. */
  setCgroupPath(id: number, path: string): void {
    this.#toFill(id).path = path;
  }

  /** The path that was taken for a cgroup. */
  cgroupPath(id: number): string | undefined {
    return this.#cgroup(id)?.path;
  }

  /** Takes the id of a cgroup's container: untrusted text. */
  setContainerId(cgroup: number, id: string): void {
    (this.#toFill(cgroup).container ??= {}).id = id;
  }

  /** Takes the name of a cgroup's container: untrusted text. */
  setContainerName(cgroup: number, name: string): void {
    (this.#toFill(cgroup).container ??= {}).name = name;
  }

  /** The container whose parts were taken for a cgroup. */
  container(cgroup: number): Container | undefined {
    return this.#cgroup(cgroup)?.container;
  }

  #cgroup(id: number): RecordedCgroup | undefined {
    const cgroups = this.#cgroups;
    for (let at = 0; cgroups !== undefined && at < cgroups.length; at++) {
      if (cgroups[at].id === id) return cgroups[at];
    }
    return undefined;
  }

  #toFill(id: number): RecordedCgroup {
    const known = this.#cgroup(id);
    if (known !== undefined) return known;
    const cgroup = { id, path: undefined, container: undefined };
    (this.#cgroups ??= []).push(cgroup);
    return cgroup;
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

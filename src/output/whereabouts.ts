/**
 * Where the processes of a handshake are, as text for people: what a line names beside a process, so that
 * who reads it knows which of several he looks at.
 *
 * @module
 */
import type { Endpoint, Handshake } from "../match/handshake.ts";
import type { Container, RecordContext } from "../record/record_context.ts";

/** What knows where processes are. */
export type WhereContext = Partial<
  Pick<RecordContext, "cgroupPath" | "container" | "netnsOf" | "netnsName">
>;

/** Digits of an id that people are shown, as Docker and Podman do. */
const ID_DIGITS = 12;

/** What people call a container: its name, else the first digits of its id. Untrusted text. */
export function containerLabel({ id, name }: Container): string | undefined {
  return name ?? id?.slice(0, ID_DIGITS);
}

/** The label of the container that an end's process is in; "" where none is known. Untrusted text. */
export function containerOfEnd({ process }: Endpoint, context: WhereContext): string {
  const cgroup = process?.cgroup;
  const container = cgroup === undefined ? undefined : context.container?.(cgroup);
  return container && containerLabel(container) || "";
}

/** Whether the container that an end's process is in is known by its id alone. */
export function hasOnlyId({ process }: Endpoint, context: WhereContext): boolean {
  const container = process?.cgroup === undefined ? undefined : context.container?.(process.cgroup);
  return container !== undefined && container.name === undefined;
}

/** The unit or last part of the cgroup that an end's process is in; "" where none is known. Untrusted text. */
export function unitOfEnd({ process }: Endpoint, context: WhereContext): string {
  const cgroup = process?.cgroup;
  const path = cgroup === undefined ? undefined : context.cgroupPath?.(cgroup);
  return path === undefined ? "" : path.slice(path.lastIndexOf("/") + 1);
}

function netnsOf({ netns, place }: Handshake, context: WhereContext): number | undefined {
  return netns ?? context.netnsOf?.(place);
}

/**
 * What a handshake's network namespace is called: its name by `ip netns`, else its number. Untrusted text.
 *
 * @returns "" where it is that of the tool, or a container at either end tells already.
 */
export function netnsLabel(handshake: Handshake, context: WhereContext): string {
  const { client, server } = handshake;
  if (containerOfEnd(client, context) !== "" || containerOfEnd(server, context) !== "") return "";
  const netns = netnsOf(handshake, context);
  if (netns === undefined) return "";
  return context.netnsName?.(netns) ?? String(netns);
}

/** Knows what differs among the handshakes so far: what is the same in all of them needs no word. */
export class Whereabouts {
  #netns: number | undefined;
  #cgroup: number | undefined;
  /** Whether they were in more than one network namespace. */
  severalNetns = false;
  /** Whether their processes were in more than one cgroup. */
  severalCgroups = false;

  /** Takes a handshake; nothing of the object is kept. */
  take(handshake: Handshake, context: WhereContext): void {
    const netns = netnsOf(handshake, context);
    if (netns !== undefined) this.severalNetns ||= netns !== (this.#netns ??= netns);
    for (const { process } of [handshake.client, handshake.server]) {
      const cgroup = process?.cgroup;
      if (cgroup !== undefined) this.severalCgroups ||= cgroup !== (this.#cgroup ??= cgroup);
    }
  }
}

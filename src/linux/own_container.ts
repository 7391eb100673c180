import { type Container, containerOf } from "../kernel/container.ts";

/** The line of the cgroup v2 hierarchy in /proc/PID/cgroup (cgroups(7)). */
const CGROUP = /^0::(.*)$/m;
/** Where Docker and Podman keep what they mount into a container, such as its /etc/hostname. */
const MOUNTED = /\/(?:containers|overlay-containers)\/([0-9a-f]{64})\//;

/**
 * The container that this process runs in: by its cgroup, and where that is hidden by a namespace of its
 * own, by what is mounted from the runtime's folder. Undefined where it is in none, or cannot be told.
 *
 * @param read Reads a file below /proc/self; "" where it cannot be read.
 */
export function ownContainer(read: (name: string) => string = readOwn): Container | undefined {
  const path = CGROUP.exec(read("cgroup"))?.[1];
  const container = path === undefined ? undefined : containerOf(path);
  if (container !== undefined && !container.isOfUser) return container;
  const id = MOUNTED.exec(read("mountinfo"))?.[1];
  return id === undefined ? undefined : { id };
}

function readOwn(name: string): string {
  try {
    return Deno.readTextFileSync(`/proc/self/${name}`);
  } catch {
    return "";
  }
}

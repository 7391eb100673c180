/**
 * Which container a process is in, by the path of its cgroup: runtimes give each container a cgroup of
 * its own, whose name they choose by fixed rules.
 *
 * @module
 */

/** A container as far as it is known. */
export interface Container {
  /** The id that its runtime gave it: 64 hexadecimal digits; undefined where it has none but its name. */
  id?: string;
  /** Its name: untrusted text. Of a pod's container `NAMESPACE/POD/CONTAINER`. */
  name?: string;
}

/** A container as a path tells of it. */
export interface ContainerOfPath extends Container {
  /** Whether a user may have made the path, who can call a cgroup whatever he likes. */
  isOfUser: boolean;
  /** Which user, where it is told. */
  uid?: number;
}

/** An id of runtimes that follow the Open Container Initiative: 32 random bytes. */
const ID = "[0-9a-f]{64}";
/**
 * The cgroup of a container with an id: with the cgroupfs driver `ID`, with systemd's
 * `RUNTIME-ID.scope`, and where a node mixes both `SLICE:RUNTIME:ID`. What only watches over one, such as
 * `libpod-conmon-ID.scope`, is none of them.
 */
const WITH_ID = new RegExp(
  "^(?:(?:.*:)?(?:docker|cri-containerd|containerd|crio|libpod|libpod-payload|nerdctl)[-:])?" +
    `(${ID})(?:\\.scope)?$`,
);
/** systemd-nspawn and whatever else registers with systemd-machined: `machine-NAME.scope`. */
const MACHINE = /^machine-(.+)\.scope$/;
/** The same, where a unit starts it: the container is in its `payload`. */
const NSPAWN = /^systemd-nspawn@(.+)\.service$/;
/** A virtual machine of libvirt is registered like that, too; its process is no container. */
const VIRTUAL_MACHINE = /^qemu-\d+-/;
/** LXC from 4.0 on, LXD and Incus: `lxc.payload.NAME`. Before that NAME was a folder below. */
const LXC = /^lxc\.payload\.(.+)$/;
const LXC_FOLDERS = ["lxc.payload", "lxc"];
/** Where systemd-nspawn itself is, outside of the container that it runs. */
const SUPERVISOR = "supervisor";
const PAYLOAD = "payload";

/** What users make lies below it: systemd gives each a part of the hierarchy as their own. */
const USERS = "/user.slice/";
/** The part of one of them (systemd.special(7)). */
const OF_USER = /^\/user\.slice\/user-(\d{1,10})\.slice\//;
/** Characters of a name; nobody chooses a longer one to be read. */
const NAME_MAX = 255;

/**
 * Finds the container that a cgroup belongs to. Of several within each other it is the outermost, which
 * this host's runtime made: what is below it, who is inside may call as he likes.
 *
 * @param path Path in the cgroup v2 hierarchy, such as `/system.slice/docker-ID.scope/init.scope`:
 *   untrusted text.
 * @returns Undefined where it is none of a container.
 */
export function containerOf(path: string): ContainerOfPath | undefined {
  const isOfUser = path.startsWith(USERS);
  const names = path.split("/").slice(1);
  for (let at = 0; at < names.length; at++) {
    const container = readName(names, at);
    if (container !== undefined) return { ...container, isOfUser, ...userOf(path) };
  }
  return undefined;
}

function userOf(path: string): { uid?: number } {
  const uid = OF_USER.exec(path)?.[1];
  return uid === undefined ? {} : { uid: Number(uid) };
}

function readName(names: readonly string[], at: number): Container | undefined {
  const [name, below] = [names[at], names[at + 1]];
  const id = WITH_ID.exec(name)?.[1];
  if (id !== undefined) return { id };
  const machine = MACHINE.exec(name)?.[1];
  if (machine !== undefined) {
    const unescaped = unescapeUnit(machine);
    if (VIRTUAL_MACHINE.test(unescaped) || below === SUPERVISOR) return undefined;
    return named(unescaped);
  }
  const nspawn = NSPAWN.exec(name)?.[1];
  if (nspawn !== undefined) return below === PAYLOAD ? named(unescapeUnit(nspawn)) : undefined;
  const lxc = LXC.exec(name)?.[1];
  if (lxc !== undefined) return named(lxc);
  // A folder of that name deeper down is anybody's.
  return at === 0 && LXC_FOLDERS.includes(name) && below ? named(below) : undefined;
}

function named(name: string): Container | undefined {
  return isName(name) ? { name } : undefined;
}

/** Whether a text can be a container's name. */
export function isName(text: unknown): text is string {
  return typeof text === "string" && text !== "" && text.length <= NAME_MAX;
}

/** Systemd writes what a name of a unit cannot hold as `\x2d` (systemd.unit(5)), byte by byte. */
function unescapeUnit(text: string): string {
  if (!text.includes("\\")) return text;
  const bytes: number[] = [];
  for (const [part, digits] of text.matchAll(/\\x([0-9a-f]{2})|[^]/gu)) {
    if (digits === undefined) bytes.push(...new TextEncoder().encode(part));
    else bytes.push(Number.parseInt(digits, 16));
  }
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(bytes));
}

/** What kubelet's runtimes call a pod's container: `k8s_CONTAINER_POD_NAMESPACE_UID_ATTEMPT`. */
const OF_POD = /^k8s_([^_]+)_([^_]+)_([^_]+)_[^_]+_\d+$/;

/**
 * The name that a runtime keeps of a container, as people know it: Docker's begin with a slash, those of
 * pods have their parts in another order.
 *
 * @returns Undefined where it is no name.
 */
export function readContainerName(kept: unknown): string | undefined {
  if (!isName(kept)) return undefined;
  const name = kept.startsWith("/") ? kept.slice(1) : kept;
  const [, container, pod, namespace] = OF_POD.exec(name) ?? [];
  if (container !== undefined) return `${namespace}/${pod}/${container}`;
  return isName(name) ? name : undefined;
}

/** A log of a pod's container, as kubelet names it in /var/log/containers: no part holds a `_`. */
const POD_LOG = new RegExp(`^([^_]+)_([^_]+)_([^_]+)-(${ID})\\.log$`);

/**
 * Reads the name of a log in /var/log/containers: `POD_NAMESPACE_CONTAINER-ID.log`.
 *
 * @returns Undefined where it is none.
 */
export function readPodLogName(file: string): { id: string; name: string } | undefined {
  const [, pod, namespace, container, id] = POD_LOG.exec(file) ?? [];
  if (id === undefined) return undefined;
  const name = `${namespace}/${pod}/${container}`;
  return isName(name) ? { id, name } : undefined;
}

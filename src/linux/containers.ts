/**
 * Containers by the cgroups of their processes, with the names that their runtimes keep in files.
 *
 * @module
 */
import {
  type Container,
  containerOf,
  type ContainerOfPath,
  readContainerName,
  readPodLogName,
} from "../kernel/container.ts";

/** Where runtimes keep what they know of containers. */
export interface RuntimeFolders {
  /** Docker's settings, which may say where the rest is (`data-root`). */
  dockerSettings: string;
  /** Docker: below it `containers` has a folder for each, by its id. */
  docker: string;
  /** Podman and CRI-O (containers-storage.conf(5)): lists of containers, by the driver of their layers. */
  storage: readonly string[];
  /** Kubelet, whatever its runtime: links to logs, with names that tell of the containers. */
  podLogs: string;
  /** nerdctl: below it `HASH/names/NAMESPACE` has a file of each name, which holds the id. */
  nerdctl: string;
  /** Who has which home (passwd(5)): below it users keep containers of their own. */
  users: string;
}

/** Where they are, unless their settings say otherwise. */
const USUAL_FOLDERS: RuntimeFolders = {
  dockerSettings: "/etc/docker/daemon.json",
  docker: "/var/lib/docker",
  storage: [
    ...["overlay", "vfs", "btrfs"].map((driver) =>
      `/var/lib/containers/storage/${driver}-containers`
    ),
    // Where the store is one that a reboot empties.
    "/run/containers/storage/overlay-containers",
  ],
  podLogs: "/var/log/containers",
  nerdctl: "/var/lib/nerdctl",
  users: "/etc/passwd",
};
/** Where a user's Podman and nerdctl keep theirs, below the home. */
const USER_STORAGE = ["overlay", "vfs", "btrfs"].map((driver) =>
  `.local/share/containers/storage/${driver}-containers`
);
const USER_NERDCTL = ".local/share/nerdctl";
/** Lists of containers that last, and of those that are removed with the last process. */
const STORAGE_LISTS = ["containers.json", "volatile-containers.json"];

/** Cgroups remembered; beyond that the oldest are forgotten. */
const CACHED_CGROUPS = 4_096;
/** Containers whose names wait to be looked up; those beyond are when they are seen again. */
const SOUGHT_MAX = 256;
/** Bytes of a file that is read: that of a container has ten thousand, a list one thousand for each. */
const FILE_MAX = 2 << 20;
/** How soon a list is read again that has changed: a long one takes ten milliseconds. */
const LIST_EVERY_MS = 1_000;
/** Names of logs that are looked through. */
const LOGS_MAX = 65_536;
/** Files of nerdctl's names that are looked through for one container. */
const NAMES_MAX = 4_096;
/** Folders below each other that are looked through: nerdctl has one for each containerd and namespace. */
const FOLDERS_MAX = 64;
/**
 * When a name that was not found is looked for again, where its container is seen again: kubelet links a
 * log a moment after the container began.
 */
const AGAIN_MS = [250, 1_000, 5_000, 30_000, 300_000];
/** When a name is looked up again: containers can be renamed. */
const STALE_MS = 60_000;
/** How long the files of one user are waited for. */
const USER_MAX_MS = 2_000;
/** How long what is being looked up is waited for at the end. */
const CLOSE_MAX_MS = 500;

/** A list of containers as it was read. */
interface StorageList {
  readMs: number;
  /** Of the file then, to know whether it has changed. */
  version: string;
  names: ReadonlyMap<string, string>;
}

/** What is known of a cgroup. */
interface Known {
  /** As its path tells. */
  readonly found: ContainerOfPath | undefined;
  /** As it is told, with its name. */
  container: Container | undefined;
  /** Whether its name is looked for now, for the first time. */
  isSought: boolean;
  /** Whether it waits to be looked up. */
  isWaiting: boolean;
  /** How often no name was found. */
  misses: number;
  /** When it is looked up again, by the clock. */
  againMs: number;
}

/**
 * Tells containers by cgroups. A name is read from files in the background, one container after the
 * other: no process is asked, and nothing waits for it.
 */
export class Containers {
  readonly #pathOf: (cgroup: number) => string | undefined;
  readonly #folders: RuntimeFolders;
  readonly #nowMs: () => number;
  readonly #known = new Map<number, Known>();
  readonly #waiting: Known[] = [];
  readonly #lists = new Map<string, StorageList>();
  /** Users whose files could not be read in time: they are not asked again. */
  readonly #slowUsers = new Set<number>();
  #docker: string | undefined;
  #search: Promise<void> | undefined;
  #isEnding = false;

  /**
   * Knows none yet.
   *
   * @param pathOf Finds the path of a cgroup. @param folders Where runtimes keep their files.
   * @param nowMs Any clock that only goes on.
   */
  constructor(
    pathOf: (cgroup: number) => string | undefined,
    folders: RuntimeFolders = USUAL_FOLDERS,
    nowMs: () => number = () => performance.now(),
  ) {
    this.#pathOf = pathOf;
    this.#folders = folders;
    this.#nowMs = nowMs;
  }

  /**
   * The container of a cgroup, as far as it is known by now; of one that is new, the name is looked up.
   *
   * @param cgroup Id of the cgroup. @returns Undefined where it is none of a container.
   */
  of(cgroup: number): Container | undefined {
    let known = this.#known.get(cgroup);
    if (known === undefined) {
      const path = this.#pathOf(cgroup);
      if (path === undefined) return undefined;
      known = this.#add(cgroup, containerOf(path));
    }
    if (this.#nowMs() >= known.againMs) this.#seek(known);
    return known.container;
  }

  /** Whether the name of its container is being looked for and was never before. */
  isSought(cgroup: number): boolean {
    return this.#known.get(cgroup)?.isSought ?? false;
  }

  #add(cgroup: number, found: ContainerOfPath | undefined): Known {
    if (this.#known.size >= CACHED_CGROUPS) this.#known.delete(this.#known.keys().next().value!);
    const { id, name } = found ?? {};
    const hasName = id !== undefined && (!found!.isOfUser || found!.uid !== undefined);
    const known: Known = {
      found,
      container: id !== undefined ? { id } : name !== undefined ? { name } : undefined,
      isSought: false,
      isWaiting: false,
      misses: 0,
      againMs: hasName ? -Infinity : Infinity,
    };
    this.#known.set(cgroup, known);
    return known;
  }

  #seek(known: Known): void {
    if (known.isWaiting || this.#waiting.length >= SOUGHT_MAX || this.#isEnding) return;
    known.isWaiting = true;
    known.isSought = known.misses === 0 && known.container?.name === undefined;
    this.#waiting.push(known);
    this.#search ??= this.#searchAll().finally(() => this.#search = undefined);
  }

  async #searchAll(): Promise<void> {
    for (let known = this.#waiting.shift(); known; known = this.#waiting.shift()) {
      const name = this.#isEnding ? undefined : await this.#nameOf(known.found!);
      known.isWaiting = known.isSought = false;
      if (name === undefined) {
        // One that was known stays: the runtime removes its files before the last packets have passed.
        known.againMs = this.#nowMs() + (AGAIN_MS[known.misses++] ?? Infinity);
      } else {
        known.misses = 0;
        known.againMs = this.#nowMs() + STALE_MS;
        known.container = { id: known.found!.id, name };
      }
    }
  }

  /** Of a user's container only that user's own files are asked: he names his own, and nobody else's. */
  async #nameOf({ id, isOfUser, uid }: ContainerOfPath): Promise<string | undefined> {
    const { storage, nerdctl } = this.#folders;
    if (!isOfUser) {
      return await this.#nameByDocker(id!) ?? await this.#nameByStorage(id!, storage) ??
        await this.#nameByPodLogs(id!) ?? await this.#nameByNerdctl(id!, nerdctl);
    }
    if (this.#slowUsers.has(uid!)) return undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    // Who puts a FIFO in the place of a file, or has a home that does not answer, holds up nobody else.
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => {
        this.#slowUsers.add(uid!);
        resolve(undefined);
      }, USER_MAX_MS);
    });
    return await Promise.race([this.#nameOfUser(id!, uid!), late]).finally(() =>
      clearTimeout(timer)
    );
  }

  async #nameOfUser(id: string, uid: number): Promise<string | undefined> {
    const home = await this.#homeOf(uid);
    if (home === undefined) return undefined;
    const lists = USER_STORAGE.map((folder) => `${home}/${folder}`);
    return await this.#nameByStorage(id, lists) ??
      await this.#nameByNerdctl(id, `${home}/${USER_NERDCTL}`);
  }

  async #homeOf(uid: number): Promise<string | undefined> {
    const lines = (await readText(this.#folders.users))?.split("\n") ?? [];
    for (const line of lines) {
      const [, , id, , , home] = line.split(":");
      if (Number(id) === uid && home?.startsWith("/")) return home;
    }
    return undefined;
  }

  async #nameByDocker(id: string): Promise<string | undefined> {
    this.#docker ??= await this.#dockerFolder();
    const config = await readJson(`${this.#docker}/containers/${id}/config.v2.json`);
    return isObject(config) ? readContainerName(config.Name) : undefined;
  }

  async #dockerFolder(): Promise<string> {
    const settings = await readJson(this.#folders.dockerSettings);
    const root = isObject(settings) ? settings["data-root"] : undefined;
    return typeof root === "string" ? root : this.#folders.docker;
  }

  async #nameByStorage(id: string, folders: readonly string[]): Promise<string | undefined> {
    for (const folder of folders) {
      for (const file of STORAGE_LISTS) {
        const name = (await this.#storageList(`${folder}/${file}`))?.get(id);
        if (name !== undefined) return name;
      }
    }
    return undefined;
  }

  async #storageList(path: string): Promise<ReadonlyMap<string, string> | undefined> {
    const version = await versionOf(path);
    if (version === undefined) return undefined;
    const known = this.#lists.get(path);
    const nowMs = this.#nowMs();
    if (known && (known.version === version || nowMs - known.readMs < LIST_EVERY_MS)) {
      return known.names;
    }
    const names = readStorageList(await readJson(path));
    this.#lists.set(path, { readMs: nowMs, version, names });
    return names;
  }

  async #nameByNerdctl(id: string, root: string): Promise<string | undefined> {
    let count = 0;
    for (const hash of await namesIn(root, FOLDERS_MAX)) {
      for (const namespace of await namesIn(`${root}/${hash}/names`, FOLDERS_MAX)) {
        const folder = `${root}/${hash}/names/${namespace}`;
        for (const name of await namesIn(folder, NAMES_MAX)) {
          if ((await readText(`${folder}/${name}`))?.trim() === id) return readContainerName(name);
          if (++count >= NAMES_MAX) return undefined;
        }
      }
    }
    return undefined;
  }

  async #nameByPodLogs(id: string): Promise<string | undefined> {
    let count = 0;
    try {
      for await (const { name: file } of Deno.readDir(this.#folders.podLogs)) {
        const log = file.endsWith(`${id}.log`) ? readPodLogName(file) : undefined;
        if (log?.id === id) return log.name;
        if (++count >= LOGS_MAX) return undefined;
      }
    } catch {
      // There is no kubelet, or it is not for this process.
    }
    return undefined;
  }

  /** Waits, not for long, for what is being looked up: handshakes are still to be told of. */
  async settle(): Promise<void> {
    if (this.#search === undefined) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => timer = setTimeout(resolve, CLOSE_MAX_MS));
    await Promise.race([this.#search, late]);
    clearTimeout(timer);
  }

  /** Looks nothing up any more. */
  close(): void {
    this.#isEnding = true;
  }
}

/** Reads a file that holds JSON; undefined where it is not there, too large, or something else. */
async function readJson(path: string): Promise<unknown> {
  const text = await readText(path);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Reads a text; undefined where it is not there, too large, or no file. */
async function readText(path: string): Promise<string | undefined> {
  // What another program keeps, and may be writing now, is read as far as it can be.
  try {
    const { isFile, size } = await Deno.stat(path);
    if (!isFile || size > FILE_MAX) return undefined;
    using file = await Deno.open(path);
    // One more, to see whether it has grown meanwhile.
    const bytes = new Uint8Array(size + 1);
    let length = 0;
    while (length <= size) {
      const count = await file.read(bytes.subarray(length));
      if (count === null) return new TextDecoder().decode(bytes.subarray(0, length));
      length += count;
    }
    return undefined;
  } catch {
    return undefined;
  }
}

/** Names in a folder, some of them where there are too many; none where it cannot be read. */
async function namesIn(folder: string, max: number): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const { name } of Deno.readDir(folder)) {
      if (names.length >= max) break;
      names.push(name);
    }
  } catch {
    // It is not there, or not for this process.
  }
  return names;
}

/** What differs once a file was written again; undefined where there is none. */
async function versionOf(path: string): Promise<string | undefined> {
  try {
    const { ino, size, mtime } = await Deno.stat(path);
    return [ino, size, mtime?.getTime()].join(" ");
  } catch {
    return undefined;
  }
}

/** Names by ids, of a list of containers/storage. */
function readStorageList(list: unknown): Map<string, string> {
  const names = new Map<string, string>();
  for (const entry of Array.isArray(list) ? list : []) {
    if (!isObject(entry) || typeof entry.id !== "string" || !Array.isArray(entry.names)) continue;
    const name = readContainerName(entry.names[0]);
    if (name !== undefined) names.set(entry.id, name);
  }
  return names;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * A Debian with systemd as its first process, in namespaces of its own: what a document says with `apt`
 * and `systemctl` can be done there as it stands. It shares this machine's kernel, of which it may change
 * nothing.
 *
 * @module
 */
import { debianRoot, reasonAgainstRoots } from "../vm/debian_root.ts";
import type { Ended } from "./debian_chroot.ts";
import { NO_MOUNTS } from "./disk.ts";
import { type Namespace, until } from "./namespace.ts";

/** What a host is to be. */
export interface HostOptions {
  /** Its name. */
  name: string;
  /** Its address on the bridge, with the length of the prefix. */
  address: string;
  /** What it hangs on: a network namespace with a bridge of this name in it. */
  bridge: { namespace: Namespace; name: string };
  /** The addresses and names of all hosts, as in hosts(5). */
  hosts: string;
  /** Folders of this machine, and where it sees them, read only. */
  folders?: Readonly<Record<string, string>>;
}

/**
 * Makes the root, and becomes systemd there. $1 is an empty folder, $2 the root of a Debian, $3 the folder
 * of a control group, $4 a name, $5 addresses and names; then come folders, each with
 * where it is seen.
 */
const BEGIN = `set -e
echo $$ >"$3/cgroup.procs"
exec unshare --mount --net --pid --fork --kill-child --uts --ipc --cgroup --propagation private \\
  sh -c '
set -e
mount -t tmpfs layer "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay -o "lowerdir=$2,upperdir=$1/upper,workdir=$1/work" layer "$1/root"
cd "$1/root"
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro sys sys
mount -t tracefs tracefs sys/kernel/tracing
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 dev dev
for device in null zero full random urandom tty; do
  : >"dev/$device"
  mount --bind "/dev/$device" "dev/$device"
done
ln -s /proc/self/fd dev/fd
ln -s pts/ptmx dev/ptmx
mkdir dev/shm dev/pts
mount -t tmpfs run run
echo "$4" >etc/hostname
hostname "$4"
echo "$5" >etc/hosts
: >etc/machine-id
shift 5
while [ $# -gt 0 ]; do
  mkdir -p ".$2"
  mount --bind -o ro "$1" ".$2"
  shift 2
done
pivot_root . mnt
umount --lazy /mnt
exec chroot . env -i container=synsnoop PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd
' sh "$@"`;

/** Variables of every command there. */
const ENV = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8"];

/** Why no such host can be made here; undefined where it can. */
export async function reasonAgainstHosts(): Promise<string | undefined> {
  return NO_MOUNTS ?? await reasonAgainstRoots() ??
    (cgroupRoot() === undefined ? "no cgroup2 is mounted" : undefined);
}

/** Where cgroup2 is mounted on this machine. */
function cgroupRoot(): string | undefined {
  return /^\S+ (\S+) cgroup2 rw/m.exec(Deno.readTextFileSync("/proc/mounts"))?.[1];
}

let made = 0;

/** Such a host, until it is disposed of. */
export class SystemdHost implements AsyncDisposable {
  /** Its name. */
  readonly name: string;
  readonly #starter: Deno.ChildProcess;
  readonly #folder: string;
  readonly #cgroup: string;
  /** Its first process, as it is known here. */
  #pid = 0;

  private constructor(name: string, starter: Deno.ChildProcess, folder: string, cgroup: string) {
    this.name = name;
    this.#starter = starter;
    this.#folder = folder;
    this.#cgroup = cgroup;
  }

  /** Starts one. @param suite Of Debian. @throws {Error} It does not come up. */
  static async start(suite: string, options: HostOptions): Promise<SystemdHost> {
    const { name, address, bridge, hosts, folders = {} } = options;
    const root = await debianRoot(suite);
    const folder = await Deno.makeTempDir({ prefix: "synsnoop-host-" });
    const cgroup = `${cgroupRoot()}/synsnoop-test-${Deno.pid}-${++made}`;
    await Deno.mkdir(cgroup);
    // Whatever ends this process ends it, too.
    const starter = new Deno.Command("setpriv", {
      args: [
        ...["--pdeathsig", "KILL", "sh", "-c", BEGIN, "sh"],
        ...[
          folder,
          root,
          cgroup,
          name,
          `127.0.0.1 localhost\n${hosts}`,
          ...Object.entries(folders).flat(),
        ],
      ],
      stdin: "null",
      stdout: "null",
      stderr: "inherit",
    }).spawn();
    const host = new SystemdHost(name, starter, folder, cgroup);
    try {
      await until(`systemd of ${name} runs`, () => host.#findSystemd());
      await host.#connect(address, bridge);
      await until(`${name} is up`, async () => {
        const { stdout } = await host.run("systemctl is-system-running");
        // Degraded: no terminal is there to log in at.
        return /^(running|degraded)$/m.test(stdout);
      });
    } catch (error) {
      await host[Symbol.asyncDispose]();
      throw error;
    }
    return host;
  }

  #findSystemd(): boolean {
    const { pid } = this.#starter;
    const children = Deno.readTextFileSync(`/proc/${pid}/task/${pid}/children`);
    this.#pid = Number(children.trim());
    return this.#pid > 0 && Deno.readTextFileSync(`/proc/${this.#pid}/comm`) === "systemd\n";
  }

  async #connect(address: string, { namespace, name }: HostOptions["bridge"]): Promise<void> {
    const port = `to-${this.name}`;
    await namespace.ip(
      ...["link", "add", port, "master", name, "type", "veth"],
      ...["peer", "name", "eth0", "netns", String(this.#pid)],
    );
    await namespace.ip("link", "set", port, "up");
    await this.network("ip", "address", "add", address, "dev", "eth0");
    await this.network("ip", "link", "set", "eth0", "up");
  }

  /** Runs a program of this machine in the host's network. @throws {Error} It fails. */
  async network(...words: string[]): Promise<string> {
    const { status, stdout, stderr } = await ended([
      ...["nsenter", "--target", String(this.#pid), "--net", "--", ...words],
    ]);
    if (status !== 0) throw new Error(`Cannot run "${words.join(" ")}": ${stderr}`);
    return stdout;
  }

  /** How a command line is run there, as root in a shell: in a folder of its own files. */
  command(line: string, folder = "/srv"): string[] {
    const namespaces = ["mount", "pid", "net", "uts", "ipc", "cgroup"].map((name) => `--${name}`);
    return [
      ...["nsenter", "--target", String(this.#pid), ...namespaces, "--root", "--wd", "--"],
      ...["env", "-i", "-C", folder, ...ENV, "bash", "-c", line],
    ];
  }

  /** Runs a command line there, to its end. */
  async run(line: string): Promise<Ended> {
    return await ended(this.command(line));
  }

  /** Runs a command line there. @returns What it wrote. @throws {Error} It fails. */
  async succeed(line: string): Promise<string> {
    const { status, stdout, stderr } = await this.run(line);
    if (status !== 0) throw new Error(`Cannot run "${line}" on ${this.name}: ${stderr}${stdout}`);
    return stdout;
  }

  /** Copies a file of this machine to a path there. */
  async copy(from: string, to: string): Promise<void> {
    await Deno.copyFile(from, `/proc/${this.#pid}/root${to}`);
  }

  /** Writes a file there. */
  async write(path: string, text: string): Promise<void> {
    await Deno.writeTextFile(`/proc/${this.#pid}/root${path}`, text);
  }

  /** Ends all that runs there, and takes it away. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#starter.kill("SIGKILL");
    } catch (error) {
      // Ended already.
      if (!(error instanceof TypeError)) throw error;
    }
    await this.#starter.status;
    await until(
      `all of ${this.name} has ended`,
      () => /^populated 0$/m.test(Deno.readTextFileSync(`${this.#cgroup}/cgroup.events`)),
    );
    await ended(["find", this.#cgroup, "-depth", "-type", "d", "-exec", "rmdir", "{}", ";"]);
    await Deno.remove(this.#folder, { recursive: true });
  }
}

async function ended([program, ...args]: readonly string[]): Promise<Ended> {
  const { code, stdout, stderr } = await new Deno.Command(program, { args, stdin: "null" })
    .output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { status: code, stdout: text(stdout), stderr: text(stderr) };
}

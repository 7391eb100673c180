/**
 * A fresh Debian to install something in: a layer over the cached root, in a mount namespace and a
 * network namespace of its own, that is gone with it.
 *
 * @module
 */
import { debianRoot } from "../vm/debian_root.ts";
import { lineReader } from "../line_reader.ts";

/** A command that ended. */
export interface Ended {
  status: number;
  stdout: string;
  stderr: string;
}

/** Standard input says where; then it waits for its end, and everything mounted is gone with it. */
const HOLD = `set -e
mount -t tmpfs layer "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay -o "lowerdir=$2,upperdir=$1/upper,workdir=$1/work" layer "$1/root"
mount -t proc proc "$1/root/proc"
mount -t sysfs sys "$1/root/sys"
mount -t tracefs tracefs "$1/root/sys/kernel/tracing"
mount -t tmpfs dev "$1/root/dev"
for device in null zero full random urandom tty; do
  : >"$1/root/dev/$device"
  mount --bind "/dev/$device" "$1/root/dev/$device"
done
ln -s /proc/self/fd "$1/root/dev/fd"
ip link set lo up
echo ready
read end || exit 0`;

/** Variables of every command there; programs that keep something do so below /tmp. */
const ENV = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/tmp", "LANG=C.UTF-8"];

/** A fresh Debian of a suite. */
export class DebianChroot implements AsyncDisposable {
  readonly #holder: Deno.ChildProcess;
  readonly #folder: string;

  private constructor(holder: Deno.ChildProcess, folder: string) {
    this.#holder = holder;
    this.#folder = folder;
  }

  /** Makes one. @throws {Error} It cannot be made. */
  static async create(suite: string): Promise<DebianChroot> {
    const root = await debianRoot(suite);
    const folder = await Deno.makeTempDir({ prefix: "synsnoop-chroot-" });
    // Whatever ends this process ends it, too.
    const holder = new Deno.Command("setpriv", {
      args: [
        ...["--pdeathsig", "KILL", "unshare", "--mount", "--net", "--propagation", "private"],
        ...["sh", "-c", HOLD, "sh", folder, root],
      ],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const { value } = await lineReader(holder.stdout).read();
    const chroot = new DebianChroot(holder, folder);
    if (value !== "ready") {
      await chroot[Symbol.asyncDispose]();
      throw new Error(`Cannot make a root of Debian ${suite}`);
    }
    return chroot;
  }

  /** Copies a file of this machine to a path there. */
  async copy(from: string, to: string): Promise<void> {
    await Deno.copyFile(from, `${this.#path}${to}`);
  }

  /** The root, as it is seen by a path of this process. */
  get #path(): string {
    return `/proc/${this.#holder.pid}/root${this.#folder}/root`;
  }

  /** The text of a file there. */
  async read(path: string): Promise<string> {
    return await Deno.readTextFile(`${this.#path}${path}`);
  }

  /** Writes a file there. */
  async write(path: string, text: string): Promise<void> {
    await Deno.writeTextFile(`${this.#path}${path}`, text);
  }

  /** Starts a command there, as root. */
  spawn(
    words: readonly string[],
    options: Pick<Deno.CommandOptions, "stdout" | "stderr"> = {},
  ): Deno.ChildProcess {
    return new Deno.Command("nsenter", {
      args: [
        ...["--target", String(this.#holder.pid), "--mount", "--net"],
        ...["chroot", `${this.#folder}/root`, "env", "-i", ...ENV, ...words],
      ],
      stdin: "null",
      ...options,
    }).spawn();
  }

  /** Runs a command there to its end. */
  async run(...words: string[]): Promise<Ended> {
    const child = this.spawn(words, { stdout: "piped", stderr: "piped" });
    const { code, stdout, stderr } = await child.output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return { status: code, stdout: text(stdout), stderr: text(stderr) };
  }

  /** Takes it away. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#holder.stdin.close().catch(() => {});
    await this.#holder.status;
    await Deno.remove(this.#folder, { recursive: true });
  }
}

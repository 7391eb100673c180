/**
 * Runs a command in a stock kernel: boots it in qemu, with this machine's files under a layer that
 * keeps what the guest writes, and takes what the command said and how it ended. The processor is
 * emulated, so that how long things take in a guest says nothing of real machines.
 *
 * @module
 */
import { findExecutable } from "../../src/linux/host.ts";
import { lastLines } from "./command.ts";
import { debianRelease } from "./debian_archive.ts";
import type { BootFiles } from "./guest_files.ts";
import { makeInitramfs } from "./initramfs.ts";

/** Where the guest sees {@linkcode GuestCommand.shared}. */
export const SHARED = "/run/shared";

/** What to run in a guest. */
export interface GuestCommand {
  /** The program and its arguments, run as root. */
  readonly words: readonly string[];
  /** The folder it runs in. */
  readonly cwd: string;
  /** Its whole environment. */
  readonly env: Readonly<Record<string, string>>;
  /** A folder of this machine that the guest may write to, the only one. */
  readonly shared: string;
  /** Ends the guest when it takes longer, boot included. */
  readonly timeoutMs: number;
  /**
   * Whether the guest's clocks advance by a nanosecond with every instruction that its processor
   * executes. What a program measures as time is then how many instructions were executed, the same in
   * each run; what waits for nothing to do waits as long as ever.
   */
  readonly countInstructions?: boolean;
  /**
   * Lines of shell that prepare the guest, after which systemd is its first process and runs the command
   * as a service; undefined: the command is all that runs.
   */
  readonly beforeSystemd?: readonly string[];
}

/** What the command did. */
export interface GuestResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Why this machine runs no guest; undefined where it can. */
export async function reasonAgainstGuests(): Promise<string | undefined> {
  if (Deno.uid() !== 0) return "not root";
  if (Deno.build.arch !== "x86_64") return `the guests are x86_64, not ${Deno.build.arch}`;
  if (await debianRelease() === undefined) {
    return "kernels are fetched from this machine's Debian mirror, and this is not Debian";
  }
  for (const [name, debianPackage] of PROGRAMS) {
    if (findExecutable(name) === undefined) return `no "${name}" (package ${debianPackage})`;
  }
}

const PROGRAMS = [
  ["qemu-system-x86_64", "qemu-system-x86"],
  ["busybox", "busybox-static"],
  ["modprobe", "kmod"],
  ["depmod", "kmod"],
  ["xz", "xz-utils"],
] as const;

/**
 * Emulated even where there is KVM: nested in another hypervisor it may hang. One processor, because
 * emulation is slower with two. That of x86_64 makes random numbers: a kernel that waits for enough of
 * them to come by takes slower ways meanwhile, and needs twice the instructions for a connection.
 */
const MACHINES = {
  x86_64: {
    qemu: "qemu-system-x86_64",
    machine: ["-machine", "q35", "-cpu", "Nehalem,+rdrand"],
    console: "ttyS0",
  },
  // Pointers are signed in a simple way: the architecture's own is slow to emulate.
  aarch64: {
    qemu: "qemu-system-aarch64",
    machine: ["-machine", "virt,gic-version=3", "-cpu", "max,pauth-impdef=on"],
    console: "ttyAMA0",
  },
} as const;
const MACHINE = [
  ...[
    "-smp",
    "1",
    "-m",
    "2G",
    "-nodefaults",
    "-no-user-config",
    "-display",
    "none",
    "-monitor",
    "none",
  ],
  "-no-reboot",
];
/** How it executes instructions, and whether it counts them, which two threads could not. */
const EMULATION = {
  fast: ["-accel", "tcg,thread=multi"],
  counting: ["-accel", "tcg,thread=single", "-icount", "shift=0"],
} as const;
/** A panic ends the guest at once; its console names the cause. */
const KERNEL_ARGUMENTS = "panic=-1 mitigations=off quiet systemd.getty_auto=no";

/**
 * Boots a guest, runs one command in it and turns it off.
 *
 * @throws {Error} With the end of the guest's console, when it did not report how the command ended:
 *   it did not boot, or took too long.
 */
export async function runInGuest(files: BootFiles, command: GuestCommand): Promise<GuestResult> {
  const { shared } = command;
  const folder = await Deno.makeTempDir({ prefix: "synsnoop-guest-" });
  try {
    const initramfs = await makeInitramfs(files, folder);
    await Deno.writeTextFile(`${shared}/boot`, bootScript(files, command));
    if (command.beforeSystemd) await Deno.writeTextFile(`${shared}/command`, runScript(command));
    const console = `${folder}/console`;
    const began = performance.now();
    const { qemu, machine, console: terminal } = MACHINES[files.architecture];
    // Whatever ends this process ends the guest.
    const guest = new Deno.Command("setpriv", {
      args: [
        ...["--pdeathsig", "KILL", files.qemu ?? qemu, ...machine, ...MACHINE],
        ...EMULATION[command.countInstructions ? "counting" : "fast"],
        ...["-kernel", files.image, "-initrd", initramfs],
        ...["-append", `console=${terminal} ${KERNEL_ARGUMENTS}`],
        ...["-serial", `file:${console}`],
        ...share("host", files.root, "on"),
        ...share("shared", shared, "off"),
      ],
      stdin: "null",
      stdout: "null",
      signal: AbortSignal.timeout(command.timeoutMs),
    });
    const { code, stderr } = await guest.output();
    const read = (name: string) => readText(`${shared}/${name}`);
    const status = await read("status");
    if (status !== undefined) {
      return {
        status: Number(status),
        stdout: await read("stdout") ?? "",
        stderr: await read("stderr") ?? "",
      };
    }
    throw new Error([
      `Cannot tell how "${command.words.join(" ")}" ended in Linux ${files.release}: ` +
      `qemu ended with status ${code} after ${Math.round((performance.now() - began) / 1000)} s`,
      `It said: ${new TextDecoder().decode(stderr)}`,
      `End of the console:\n${lastLines(await readText(console) ?? "", 20)}`,
      `End of the command's output:\n${lastLines(await read("stdout") ?? "", 20)}`,
      `${lastLines(await read("stderr") ?? "", 20)}`,
    ].join("\n"));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Gives the guest a folder under a name. */
function share(tag: string, path: string, readonly: "on" | "off"): string[] {
  const options = `local,id=${tag},path=${path},security_model=none,readonly=${readonly}`;
  return [
    ...["-fsdev", `${options},multidevs=remap`],
    ...["-device", `virtio-9p-pci,fsdev=${tag},mount_tag=${tag}`],
  ];
}

/** What the guest's first process runs when the file systems are there. */
function bootScript({ modulesRoot, release, root }: BootFiles, command: GuestCommand): string {
  const modules = quote(`/lib/modules/${release}`);
  const isBelow = root === "/" || modulesRoot.startsWith(`${root}/`);
  // What the guest cannot see of this machine is in the shared folder.
  const seen = !isBelow ? SHARED : root === "/" ? modulesRoot : modulesRoot.slice(root.length);
  return lines(
    "export PATH=/usr/sbin:/usr/bin:/sbin:/bin",
    // The kernel itself runs modprobe when a module is wanted.
    `mkdir -p ${modules}`,
    `mount --bind ${quote(`${seen}/lib/modules/${release}`)} ${modules}`,
    ...command.beforeSystemd
      ? [...command.beforeSystemd, ...SYSTEMD_LINES]
      // The first process must not end.
      : [runScript(command), "while :; do sleep 1; done"],
  );
}

/** Makes systemd the first process, and the command a service of it. */
const SYSTEMD_LINES = [
  "units=/etc/systemd/system",
  "mkdir -p $units/multi-user.target.wants",
  `printf '[Service]\\nType=oneshot\\nExecStart=/bin/sh ${SHARED}/command\\n' ` +
  ">$units/guest-command.service",
  "ln -s ../guest-command.service $units/multi-user.target.wants/",
  "exec /lib/systemd/systemd",
];

/** Runs the command to its end, leaves what became of it, and turns the machine off. */
function runScript({ words, cwd, env }: GuestCommand): string {
  const all = ["env", "-i", ...Object.entries(env).map(([key, value]) => `${key}=${value}`)]
    .concat(words);
  return lines(
    `cd ${quote(cwd)}`,
    `setsid -w ${all.map(quote).join(" ")} </dev/null >${SHARED}/stdout 2>${SHARED}/stderr`,
    `echo $? >${SHARED}/status`,
    "echo o >/proc/sysrq-trigger",
  );
}

function lines(...all: string[]): string {
  return all.map((line) => `${line}\n`).join("");
}

/** A word of the shell that means itself. */
function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

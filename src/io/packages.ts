/**
 * Which system packages this program and its tests need, on which package manager they have which
 * name, and how they are installed. The tables and functions above the line are pure; the functions
 * below it look at the machine and change it.
 */

import { findExecutable, isFileThere } from "./host.ts";

/** The package managers that are known, in the order in which they are looked for. */
export const MANAGERS = ["apt-get", "dnf", "pacman", "zypper", "apk"] as const;

/** The executable name of a package manager. */
export type Manager = typeof MANAGERS[number];

/** Something from a system package. */
export interface Need {
  /** Executables that must be there, by name. */
  readonly executables: readonly string[];
  /** A file that must be there, absolute: for packages without an executable. */
  readonly file?: string;
  /** The package that brings it, on each manager. */
  readonly package: Readonly<Record<Manager, string>>;
}

/** One program to run, with the environment variables it needs besides the inherited ones. */
export interface Command {
  /** The program and its arguments. */
  readonly words: readonly [string, ...string[]];
  /** Environment variables. */
  readonly env: Readonly<Record<string, string>>;
}

/** A package that has the same name on every manager. */
function everywhere(name: string): Record<Manager, string> {
  return { "apt-get": name, "dnf": name, "pacman": name, "zypper": name, "apk": name };
}

/** What a trace needs for the kernel's side of a handshake. */
export const TRACE_NEEDS: readonly Need[] = [
  { executables: ["bpftrace"], package: everywhere("bpftrace") },
];

/** What the tests need: namespaces, traffic, oracles and compilers. */
export const TEST_NEEDS: readonly Need[] = [
  ...TRACE_NEEDS,
  { executables: ["ip", "ss"], package: { ...everywhere("iproute2"), "dnf": "iproute" } },
  { executables: ["nft"], package: everywhere("nftables") },
  { executables: ["tcpdump"], package: everywhere("tcpdump") },
  {
    executables: ["tshark"],
    package: {
      ...everywhere("tshark"),
      "dnf": "wireshark-cli",
      "pacman": "wireshark-cli",
      "zypper": "wireshark",
    },
  },
  { executables: ["clang"], package: everywhere("clang") },
  { executables: ["llvm-objcopy", "llvm-readelf"], package: everywhere("llvm") },
  { executables: ["gcc"], package: everywhere("gcc") },
  {
    executables: [],
    file: "/usr/include/stdio.h",
    package: {
      "apt-get": "libc6-dev",
      "dnf": "glibc-devel",
      "pacman": "glibc",
      "zypper": "glibc-devel",
      "apk": "musl-dev",
    },
  },
  {
    executables: ["ps"],
    package: { ...everywhere("procps-ng"), "apt-get": "procps", "zypper": "procps" },
  },
  {
    executables: ["python3"],
    package: { ...everywhere("python3"), "apt-get": "python3-minimal", "pacman": "python" },
  },
  // A terminal to run the tool on.
  {
    executables: ["script"],
    package: {
      ...everywhere("util-linux"),
      "apt-get": "bsdutils",
      "dnf": "util-linux-script",
      "apk": "util-linux-misc",
    },
  },
  // Stock kernels to test in, emulated.
  {
    executables: ["qemu-system-x86_64"],
    package: {
      ...everywhere("qemu-system-x86"),
      "zypper": "qemu-x86",
      "apk": "qemu-system-x86_64",
    },
  },
  { executables: ["busybox"], package: { ...everywhere("busybox"), "apt-get": "busybox-static" } },
  { executables: ["depmod", "modprobe"], package: everywhere("kmod") },
  { executables: ["xz"], package: { ...everywhere("xz"), "apt-get": "xz-utils" } },
  { executables: ["zstd"], package: everywhere("zstd") },
];

/** What of that the benchmark needs too. */
const SHARED_WITH_TESTS = [
  ...["bpftrace", "ip", "gcc", "/usr/include/stdio.h", "tcpdump", "tshark"],
  ...["qemu-system-x86_64", "busybox", "depmod", "xz", "zstd"],
];

/** What the benchmark needs: namespaces, load generators, and the tools it compares with. */
export const BENCH_NEEDS: readonly Need[] = [
  ...TEST_NEEDS.filter((need) => SHARED_WITH_TESTS.includes(needName(need))),
  { executables: ["nginx"], package: everywhere("nginx") },
  { executables: ["wrk"], package: everywhere("wrk") },
  { executables: ["iperf3"], package: { ...everywhere("iperf3"), "zypper": "iperf" } },
  { executables: ["tcptrace"], package: everywhere("tcptrace") },
];

/** The name by which a message calls a need: its first executable, or its file. */
export function needName(need: Need): string {
  return need.executables[0] ?? need.file ?? "";
}

/**
 * The commands that install packages, in order. All but the last only refresh the list of packages:
 * the last may succeed where they fail.
 *
 * @param manager The package manager.
 * @param needs What is missing.
 * @returns At least one command. None of them asks anything.
 */
export function installCommands(manager: Manager, needs: readonly Need[]): Command[] {
  const packages = needs.map((need) => need.package[manager]);
  switch (manager) {
    case "apt-get": {
      // Without a frontend debconf takes the default answers: tshark asks whether users may capture.
      const env = { DEBIAN_FRONTEND: "noninteractive", DEBCONF_NONINTERACTIVE_SEEN: "true" };
      const limits = ["-o", "Acquire::Retries=1", "-o", "Acquire::http::Timeout=20"];
      const install = ["install", "-y", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=120"];
      return [
        { words: ["apt-get", "update", ...limits], env },
        { words: ["apt-get", ...install, ...limits, ...packages], env },
      ];
    }
    case "dnf": {
      const install = ["install", "-y", "--setopt=install_weak_deps=False"];
      return [{ words: ["dnf", ...install, ...packages], env: {} }];
    }
    case "pacman":
      return [{ words: ["pacman", "-Sy", "--needed", "--noconfirm", ...packages], env: {} }];
    case "zypper": {
      const install = ["--non-interactive", "install", "--no-recommends"];
      return [{ words: ["zypper", ...install, ...packages], env: {} }];
    }
    case "apk":
      return [{ words: ["apk", "add", "--no-cache", ...packages], env: {} }];
  }
}

/**
 * The short command that a person runs to install what is missing.
 *
 * @param manager The package manager, if there is a known one.
 * @param needs What is missing.
 * @param root Whether that person is root already.
 * @returns One line of shell, or undefined where no manager is known.
 */
export function commandToRun(
  manager: Manager | undefined,
  needs: readonly Need[],
  root: boolean,
): string | undefined {
  if (manager === undefined) return undefined;
  const words: Record<Manager, string> = {
    "apt-get": "apt-get install --no-install-recommends",
    "dnf": "dnf install",
    "pacman": "pacman -S --needed",
    "zypper": "zypper install",
    "apk": "apk add",
  };
  const packages = needs.map((need) => need.package[manager]);
  return [...root ? [] : ["sudo"], words[manager], ...packages].join(" ");
}

// ------------------------------------------------------------------ below: looks at the machine

/** Whether all that a need names is on this machine. Starts no process. */
export function isPresent(need: Need): boolean {
  return need.executables.every((name) => findExecutable(name) !== undefined) &&
    (need.file === undefined || isFileThere(need.file));
}

/**
 * Runs a command with no input; all it prints goes to standard error.
 *
 * @param command What to run.
 * @returns Whether it could be started and succeeded.
 */
export function runCommand(command: Command): Promise<boolean> {
  return run(command, "piped", async (child) => {
    await child.stdout.pipeTo(Deno.stderr.writable, { preventClose: true });
  });
}

/**
 * Runs a command with no input; nothing it prints is shown.
 *
 * @param command What to run.
 * @param signal Asks it to end as Ctrl-C would, which a package manager heeds where it may.
 * @returns Whether it could be started and succeeded.
 */
export async function runQuietly(command: Command, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return false;
  return await run(command, "null", (child) => {
    const interrupt = () => {
      try {
        child.kill("SIGINT");
      } catch {
        // It has ended already.
      }
    };
    signal.addEventListener("abort", interrupt, { once: true });
  });
}

async function run(
  command: Command,
  output: "piped" | "null",
  follow: (child: Deno.ChildProcess) => Promise<void> | void,
): Promise<boolean> {
  const [program, ...args] = command.words;
  try {
    const child = new Deno.Command(findExecutable(program) ?? program, {
      args,
      env: command.env,
      stdin: "null",
      stdout: output,
      stderr: output === "null" ? "null" : "inherit",
    }).spawn();
    await follow(child);
    return (await child.status).success;
  } catch (error) {
    // A program that is not there or may not be run is one that did not succeed.
    if (error instanceof Deno.errors.NotFound) return false;
    if (error instanceof Deno.errors.PermissionDenied) return false;
    throw error;
  }
}

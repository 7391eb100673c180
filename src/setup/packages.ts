/**
 * What a system package is called on which package manager, and the commands that install it. Pure:
 * `machine.ts` runs them.
 *
 * @module
 */

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

/** The names of a package that has the same one on every manager. */
export function everywhere(name: string): Record<Manager, string> {
  return { "apt-get": name, "dnf": name, "pacman": name, "zypper": name, "apk": name };
}

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

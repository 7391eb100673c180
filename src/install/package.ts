/**
 * `deno task package`: a Debian package, or the same files as a tarball, with the runtime in it.
 *
 * @module
 */
import { resolve } from "node:path/posix";
import { type Flag, parseFlags } from "../cli/flags/flags.ts";
import { formatHelp, type Help } from "../cli/help.ts";
import { ExitStatus, UsageError } from "../cli/usage.ts";
import { parseChoice } from "../cli/flags/values.ts";
import { environmentVariable } from "../linux/environment.ts";
import { findExecutable } from "../linux/host.ts";
import { escapeText } from "../text/escape.ts";
import { messageOf } from "../text/message.ts";
import { controlText, MAINTAINER_SCRIPTS, oldestGlibc } from "./debian_control.ts";
import type { InstalledFile } from "./installed_files.ts";
import { CONFIGURATION, packageFiles } from "./package_files.ts";
import {
  type Architecture,
  ARCHITECTURES,
  PINNED_VERSION,
  pinnedRuntime,
} from "./pinned_runtimes.ts";

const SOURCE = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");
const OWN_ARCHITECTURE: Architecture = Deno.build.arch === "aarch64" ? "arm64" : "amd64";

const PACKAGE_FLAGS: readonly Flag[] = [
  {
    name: "architecture",
    value: "NAME",
    meaning: `${ARCHITECTURES.join(" or ")} (default: this machine's)`,
  },
  { name: "tar", meaning: "the same files as a .tar.gz, for systems without dpkg" },
  { name: "output", value: "DIR", meaning: "the folder to write to (default: this one)" },
  { name: "help", meaning: "show this" },
];

const HELP: Help = {
  summary: "Make a Debian package that carries its runtime and needs no network.",
  usage: [["deno task package [flags]", "writes synsnoop_VERSION_ARCHITECTURE.deb"]],
  flags: PACKAGE_FLAGS,
  examples: [
    ["deno task package", "for this machine"],
    ["deno task package --architecture arm64 --output /tmp", "for another one"],
    ["deno task package --tar", "for a system without dpkg"],
  ],
  paragraphs: [
    `The runtime is Deno ${PINNED_VERSION} from npm's package, whose hash is pinned in the source. ` +
    "The same source gives the same bytes: files are dated by SOURCE_DATE_EPOCH, else by the " +
    "newest commit. DEBFULLNAME and DEBEMAIL say whom the package is from.",
    "The package has a service, synsnoop.service, and one that ships to ClickHouse, " +
    "synsnoop-ship.service. Neither is enabled nor started by it; their flags are in " +
    "/etc/synsnoop.toml and /etc/synsnoop-ship.toml. There is a file for logrotate, too.",
  ],
  statuses: [
    [ExitStatus.Ok, "done"],
    [ExitStatus.Failed, "could not be done"],
    [ExitStatus.Usage, "wrong usage"],
  ],
};

/**
 * Debian takes xz alone; its default level packs a sixth smaller and takes fifteen times as long. One thread,
 * because more of them may give other bytes.
 */
const COMPRESSION = ["-Zxz", "-z0", "--threads-max=1"];
const NAME = "synsnoop";

interface PackageOptions {
  architecture: Architecture;
  isTar: boolean;
  folder: string;
}

/**
 * Makes a package.
 *
 * @param args The command-line arguments. @param say Says a line.
 * @returns The exit status.
 */
export async function makePackage(
  args: readonly string[],
  say: (line: string) => void,
): Promise<number> {
  try {
    const options = parsePackageOptions(args);
    if (options === undefined) {
      say(formatHelp(HELP).trimEnd());
      return ExitStatus.Ok;
    }
    say(`Made ${escapeText(await make(options))}`);
    return ExitStatus.Ok;
  } catch (error) {
    const reason = escapeText(messageOf(error).split("\n")[0]);
    if (error instanceof UsageError) {
      say(reason);
      return ExitStatus.Usage;
    }
    say(`Cannot make a package: ${reason}`);
    return ExitStatus.Failed;
  }
}

/** @returns Undefined where only help is asked for. */
function parsePackageOptions(args: readonly string[]): PackageOptions | undefined {
  const { switches, values, operands } = parseFlags(args, PACKAGE_FLAGS);
  if (switches.has("help")) return undefined;
  if (operands.length > 0) {
    throw new UsageError(`Cannot use "${operands[0]}": package takes flags only`);
  }
  const [named = OWN_ARCHITECTURE] = values.get("architecture") ?? [];
  const [folder = "."] = values.get("output") ?? [];
  return {
    architecture: parseChoice("architecture", named, ARCHITECTURES),
    isTar: switches.has("tar"),
    // A task runs where deno.json is: what the user means is from where it was called.
    folder: resolve(environmentVariable("INIT_CWD") ?? Deno.cwd(), folder),
  };
}

/** @returns The path of what was made. */
async function make({ architecture, isTar, folder }: PackageOptions): Promise<string> {
  // Before anything is fetched.
  const tool = program(
    isTar ? "tar" : "dpkg-deb",
    isTar ? "install it" : "install dpkg, or give --tar for a tarball",
  );
  const { version } = JSON.parse(await Deno.readTextFile(`${SOURCE}/deno.json`));
  const maintainer = maintainerOf();
  const time = await sourceTime();
  const runtime = await pinnedRuntime(architecture);
  const files = await packageFiles(SOURCE, runtime, { version, maintainer, time });
  const root = await Deno.makeTempDir({ prefix: "synsnoop-package-" });
  try {
    await Deno.chmod(root, 0o755);
    for (const { path, bytes, executable } of files) {
      await writeFile(`${root}/${path}`, bytes, executable ? 0o755 : 0o644);
    }
    if (isTar) {
      setTimes(root, time);
      const made = `${folder}/${NAME}-${version}-linux-${architecture}.tar.gz`;
      await writeTar(tool, root, made, time);
      return made;
    }
    const installedBytes = files.reduce((sum, { bytes }) => sum + bytes.length, 0);
    const facts = {
      version,
      architecture,
      maintainer,
      glibc: oldestGlibc(runtime),
      installedBytes,
    };
    await writeControl(`${root}/DEBIAN`, files, controlText(facts));
    setTimes(root, time);
    const made = `${folder}/${NAME}_${version}_${architecture}.deb`;
    const args = [...COMPRESSION, "--root-owner-group", "--build", root, made];
    await run(tool, args, { SOURCE_DATE_EPOCH: String(time) });
    return made;
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

function program(name: string, advice: string): string {
  const path = findExecutable(name);
  if (path === undefined) throw new Error(`found no "${name}"; ${advice}`);
  return path;
}

/** Whom the package is from, as Debian's tools are told. */
function maintainerOf(): string {
  const name = environmentVariable("DEBFULLNAME") || "The synsnoop authors";
  return `${name} <${environmentVariable("DEBEMAIL") || "nobody@synsnoop.invalid"}>`;
}

/** Seconds of Unix time that files are dated to (reproducible-builds.org). */
async function sourceTime(): Promise<number> {
  const given = environmentVariable("SOURCE_DATE_EPOCH");
  if (given !== undefined) {
    if (!/^\d{1,12}$/.test(given)) throw new Error(`SOURCE_DATE_EPOCH is "${given}", no time`);
    return Number(given);
  }
  const git = findExecutable("git");
  if (git !== undefined) {
    const { success, stdout } = await new Deno.Command(git, {
      args: ["-C", SOURCE, "log", "-1", "--format=%ct"],
      stdin: "null",
      stderr: "null",
    }).output();
    if (success) return Number(new TextDecoder().decode(stdout).trim());
  }
  return Math.floor(Date.now() / 1000);
}

async function writeControl(
  folder: string,
  files: readonly InstalledFile[],
  control: string,
): Promise<void> {
  const text = (name: string, text: string, mode = 0o644) =>
    writeFile(`${folder}/${name}`, new TextEncoder().encode(text), mode);
  await text("control", control);
  const configuration = files.filter(({ path }) => CONFIGURATION.test(path));
  await text("conffiles", configuration.map(({ path }) => `/${path}\n`).join(""));
  const { createHash } = await import("node:crypto");
  const sums = files.filter(({ path }) => !CONFIGURATION.test(path))
    .map(({ path, bytes }) => `${createHash("md5").update(bytes).digest("hex")}  ${path}\n`);
  await text("md5sums", sums.join(""));
  for (const [name, script] of Object.entries(MAINTAINER_SCRIPTS)) await text(name, script, 0o755);
}

/** Whatever the umask: folders and files are there for all users. */
async function writeFile(path: string, bytes: Uint8Array, mode: number): Promise<void> {
  const names = path.split("/");
  for (let depth = 2; depth < names.length; depth++) {
    const folder = names.slice(0, depth).join("/");
    try {
      await Deno.mkdir(folder);
    } catch (error) {
      if (error instanceof Deno.errors.AlreadyExists) continue;
      throw error;
    }
    await Deno.chmod(folder, 0o755);
  }
  await Deno.writeFile(path, bytes, { createNew: true });
  await Deno.chmod(path, mode);
}

/** Dates a folder and everything in it. */
function setTimes(path: string, time: number): void {
  if (Deno.lstatSync(path).isDirectory) {
    for (const { name } of Deno.readDirSync(path)) setTimes(`${path}/${name}`, time);
  }
  Deno.utimeSync(path, time, time);
}

async function writeTar(tar: string, root: string, made: string, time: number): Promise<void> {
  const order = ["--sort=name", "--format=gnu", "--owner=root:0", "--group=root:0"];
  const archive = `${made}.unfinished`;
  try {
    await run(tar, [...order, `--mtime=@${time}`, "-cf", archive, "-C", root, "."], {});
    using packed = await Deno.open(archive);
    using into = await Deno.open(made, { write: true, create: true, truncate: true });
    await packed.readable.pipeThrough(new CompressionStream("gzip")).pipeTo(into.writable);
  } finally {
    await Deno.remove(archive).catch(() => {
      // It was not begun.
    });
  }
}

async function run(program: string, args: string[], env: Record<string, string>): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, {
    args,
    env,
    stdin: "null",
    stdout: "null",
  }).output();
  if (success) return;
  throw new Error(`${program} says: ${new TextDecoder().decode(stderr).trim().split("\n").at(-1)}`);
}

if (import.meta.main) {
  Deno.exitCode = await makePackage(Deno.args, (line) => console.error(line));
}

/**
 * One suite of Debian, fetched from the mirror of this machine with a package state of its own, so
 * that what is installed here neither limits nor learns of what is fetched.
 *
 * @module
 */
import { findExecutable } from "../../src/linux/host.ts";
import { output } from "./command.ts";

/** Signs every suite of Debian; from the package debian-archive-keyring, which is essential there. */
const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";

/** A suite whose list of packages has been fetched. */
export class DebianArchive {
  readonly #folder: string;
  readonly #options: string[];

  private constructor(folder: string, architecture: string | undefined) {
    this.#folder = folder;
    this.#options = [
      `Dir::Etc::sourcelist=${folder}/suite.sources`,
      "Dir::Etc::sourceparts=-",
      `Dir::State::lists=${folder}/lists`,
      `Dir::State::status=${folder}/status`,
      `Dir::Cache=${folder}`,
      "APT::Sandbox::User=root",
      "Acquire::Languages=none",
      "Acquire::Retries=1",
      "Acquire::http::Timeout=20",
      ...architecture === undefined
        ? []
        : [`APT::Architecture=${architecture}`, `APT::Architectures::=${architecture}`],
    ].flatMap((option) => ["-o", option]);
  }

  /**
   * Fetches the list of a suite's packages.
   *
   * @param suite Its codename.
   * @param folder An empty folder for everything that is fetched.
   * @param architecture As Debian names it; this machine's own unless told.
   * @throws {Error} When no mirror is known or it does not give the list.
   */
  static async open(
    suite: string,
    folder: string,
    architecture?: string,
  ): Promise<DebianArchive> {
    const archive = new DebianArchive(folder, architecture);
    const source = {
      "Types": "deb",
      "URIs": await debianMirror(),
      "Suites": suite,
      "Components": "main",
      ...architecture !== undefined && { "Architectures": architecture },
      "Signed-By": KEYRING,
    };
    await Deno.mkdir(`${folder}/lists/partial`, { recursive: true });
    await Deno.mkdir(`${folder}/archives/partial`, { recursive: true });
    // No package is installed, as far as this state knows: a closure then leaves nothing out.
    await Deno.writeTextFile(`${folder}/status`, "");
    await Deno.writeTextFile(
      `${folder}/suite.sources`,
      Object.entries(source).map(([key, value]) => `${key}: ${value}\n`).join(""),
    );
    // Without it a mirror that answers nothing is only a warning.
    await archive.#apt("apt-get", "-o", "APT::Update::Error-Mode=any", "update");
    return archive;
  }

  /** The packages that a package depends on directly. */
  async dependencies(name: string): Promise<string[]> {
    const text = await this.#apt("apt-cache", "depends", name);
    return Array.from(text.matchAll(/^\s*Depends: (\S+)/gm), ([, dependency]) => dependency);
  }

  /** Unpacks a package alone into a folder. */
  async unpack(name: string, into: string): Promise<void> {
    const before = await this.#fetched(this.#folder);
    await this.#apt("apt-get", "download", name);
    const after = await this.#fetched(this.#folder);
    await unpackAll(after.filter((path) => !before.includes(path)), into);
  }

  /** Unpacks packages with all that they depend on, down to the C library, into a folder. */
  async unpackClosure(names: readonly string[], into: string): Promise<void> {
    const install = ["install", "--yes", "--download-only", "--no-install-recommends"];
    await this.#apt("apt-get", ...install, ...names);
    await unpackAll(await this.#fetched(`${this.#folder}/archives`), into);
  }

  async #fetched(folder: string): Promise<string[]> {
    const names = (await Array.fromAsync(Deno.readDir(folder))).map((entry) => entry.name);
    return names.filter((name) => name.endsWith(".deb")).map((name) => `${folder}/${name}`);
  }

  #apt(program: string, ...args: string[]): Promise<string> {
    return output([program, "-q", ...this.#options, ...args], this.#folder);
  }
}

async function unpackAll(packages: readonly string[], into: string): Promise<void> {
  if (packages.length === 0) throw new Error("Cannot unpack a package: apt-get fetched none");
  await Deno.mkdir(into, { recursive: true });
  for (const path of packages) await output(["dpkg", "--extract", path, into]);
}

/** The mirror from which this machine has its own Debian. */
export async function debianMirror(): Promise<string> {
  const codename = (await debianRelease())?.codename;
  const indexes = findExecutable("apt-get") === undefined ? "" : await output([
    ...["apt-get", "indextargets", "--format", "$(RELEASE) $(COMPONENT) $(REPO_URI)"],
    "Created-By: Packages",
  ]);
  for (const line of indexes.split("\n")) {
    const [release, component, uri] = line.split(" ");
    if (release === codename && component === "main") return uri;
  }
  throw new Error(
    `Cannot fetch from Debian: apt-get names no mirror of "${codename}" main, check its sources`,
  );
}

/** The Debian that this machine runs; undefined where it runs something else. */
export async function debianRelease(): Promise<{ codename: string } | undefined> {
  let text: string;
  try {
    text = await Deno.readTextFile("/etc/os-release");
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  const values = Object.fromEntries(
    Array.from(text.matchAll(/^(\w+)="?([^"\n]*)"?$/gm), ([, key, value]) => [key, value]),
  );
  return values.ID === "debian" ? { codename: values.VERSION_CODENAME } : undefined;
}

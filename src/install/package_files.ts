/**
 * What a package for Linux holds, from its root on: what an installation has, the runtime, and what a
 * service needs.
 *
 * @module
 */
import { gzipSync } from "node:zlib";
import { bundle } from "./bundle.ts";
import { collectFiles, sourcePaths } from "./collect_files.ts";
import { changelogText, copyrightText } from "./debian_control.ts";
import type { InstalledFile } from "./installed_files.ts";

/** Files below `etc` are the administrator's: dpkg asks before it replaces one that was changed. */
export const CONFIGURATION = /^etc\//;

/** What a package has beside the tool, and from which file of this folder's `service`. */
const SERVICE_FILES = [
  { path: "usr/lib/systemd/system/synsnoop.service", from: "synsnoop.service" },
  { path: "usr/lib/systemd/system/synsnoop-ship.service", from: "synsnoop-ship.service" },
  { path: "usr/lib/sysusers.d/synsnoop.conf", from: "synsnoop.sysusers" },
  { path: "etc/synsnoop-ship.toml", from: "synsnoop-ship.toml" },
  { path: "etc/logrotate.d/synsnoop", from: "synsnoop.logrotate" },
  { path: "etc/synsnoop.toml", from: "synsnoop.toml" },
  { path: "usr/share/lintian/overrides/synsnoop", from: "synsnoop.lintian-overrides" },
] as const;
const SERVICE = new URL("service/", import.meta.url);
const DOC = "usr/share/doc/synsnoop";

/**
 * Everything in a package, in the order of the paths.
 *
 * @param source The folder with `deno.json`, absolute.
 * @param time Seconds of Unix time that it is dated to.
 */
export async function packageFiles(
  source: string,
  runtime: Uint8Array<ArrayBuffer>,
  { version, maintainer, time }: { version: string; maintainer: string; time: number },
): Promise<InstalledFile[]> {
  const files: InstalledFile[] = [
    { path: "usr/lib/synsnoop/deno", bytes: runtime, executable: true },
  ];
  const bundled = await bundle(source, sourcePaths(source));
  for (const file of await collectFiles(source, "/usr", bundled)) {
    // The licence stands where Debian has it.
    if (file.path === "lib/synsnoop/LICENSE") continue;
    files.push(asDebianHas(file));
  }
  for (const { path, from } of SERVICE_FILES) {
    files.push({ path, bytes: await Deno.readFile(new URL(from, SERVICE)) });
  }
  const licence = await Deno.readTextFile(`${source}/LICENSE`);
  files.push({ path: `${DOC}/copyright`, bytes: encode(copyrightText(licence)) });
  const changelog = encode(changelogText(version, maintainer, time));
  files.push({ path: `${DOC}/changelog.gz`, bytes: compress(changelog) });
  return files.sort((one, other) => one.path < other.path ? -1 : 1);
}

/** Manuals are compressed there, and zsh has another folder for what packages bring. */
function asDebianHas({ path, bytes, executable }: InstalledFile): InstalledFile {
  const place = `usr/${path}`.replace("/zsh/site-functions/", "/zsh/vendor-completions/");
  return place.startsWith("usr/share/man/")
    ? { path: `${place}.gz`, bytes: compress(bytes) }
    : { path: place, bytes, executable };
}

/** The same bytes each time: zlib writes no time. */
function compress(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(gzipSync(bytes, { level: 9 }));
}

function encode(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

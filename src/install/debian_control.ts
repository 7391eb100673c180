/**
 * What a Debian package says of itself and does when it comes and goes (Debian Policy, chapters 5 to 7
 * and 10).
 *
 * @module
 */
import type { Architecture } from "./pinned_runtimes.ts";

/** What a package is made of. */
export interface PackageFacts {
  version: string;
  architecture: Architecture;
  /** Who the package is from: `Name <address>`. */
  maintainer: string;
  /** The oldest glibc that the runtime runs with, such as `2.27`. */
  glibc: string;
  /** Bytes of all files together. */
  installedBytes: number;
}

/** Writes the file `control`. */
export function controlText(facts: PackageFacts): string {
  const fields = {
    "Package": "synsnoop",
    "Version": facts.version,
    "Architecture": facts.architecture,
    "Maintainer": facts.maintainer,
    "Installed-Size": String(Math.ceil(facts.installedBytes / 1024)),
    "Depends": `bpftrace, passwd, libc6 (>= ${facts.glibc}), libgcc-s1`,
    "Suggests": "logrotate, systemd",
    "Section": "net",
    "Priority": "optional",
    "Description": "record of every TCP three-way handshake of this host",
  };
  const description = [
    "One record a handshake, from the kernel and from the wire: who connected to",
    "whom, how long each leg took, with which initial sequence numbers, and, when it",
    "failed, why.",
    ".",
    "The package carries its runtime and needs no network. It has a service,",
    "synsnoop.service, which keeps a line of JSON a handshake in",
    "/var/lib/synsnoop, and synsnoop-ship.service, which hands that to ClickHouse;",
    "nothing enables or starts them but the administrator.",
  ];
  return Object.entries(fields).map(([name, value]) => `${name}: ${value}\n`).join("") +
    description.map((line) => ` ${line}\n`).join("");
}

/** Who may read what the service keeps; `service/synsnoop.sysusers` has it too, for other packages. */
const GROUP = "synsnoop";
const SERVICES = "synsnoop-ship.service synsnoop.service";

/** What the package does when it comes and goes, by the name of the script. */
export const MAINTAINER_SCRIPTS: Readonly<Record<string, string>> = {
  // Of a service that runs the next version takes over; one that does not run is not started.
  postinst: script(
    'if [ "$1" = configure ]; then',
    // Where it is there already, that is no fault.
    `  groupadd --system --force ${GROUP}`,
    "  if [ -d /run/systemd/system ]; then",
    "    systemctl --system daemon-reload >/dev/null || true",
    `    if [ -n "$2" ]; then deb-systemd-invoke try-restart ${SERVICES} >/dev/null || true; fi`,
    "  fi",
    "fi",
  ),
  prerm: script(
    'if [ "$1" = remove ] && [ -d /run/systemd/system ]; then',
    `  deb-systemd-invoke stop ${SERVICES} >/dev/null || true`,
    "fi",
  ),
  postrm: script(
    'if [ "$1" = purge ]; then',
    "  rm -rf /var/lib/synsnoop /var/log/synsnoop /var/cache/synsnoop",
    // Of a user that there is no longer: the folder is in that of systemd, a link leads to it.
    "  for folder in lib cache; do",
    "    rm -rf /var/$folder/synsnoop-ship /var/$folder/private/synsnoop-ship",
    "  done",
    // What an administrator's `systemctl enable` made.
    `  for unit in ${SERVICES}; do`,
    "    rm -f /etc/systemd/system/multi-user.target.wants/$unit",
    "  done",
    `  groupdel ${GROUP} || true`,
    "fi",
    "if [ -d /run/systemd/system ]; then systemctl --system daemon-reload >/dev/null || true; fi",
  ),
};

function script(...lines: string[]): string {
  return ["#!/bin/sh", "set -e", ...lines, ""].join("\n");
}

/** Writes Debian's changelog of one entry (deb-changelog(5)). @param time Seconds of Unix time. */
export function changelogText(version: string, maintainer: string, time: number): string {
  // RFC 2822, with the zone as a number.
  const date = new Date(time * 1000).toUTCString().replace("GMT", "+0000");
  return `synsnoop (${version}) unstable; urgency=medium\n\n` +
    "  * What has changed stands in CHANGELOG.md of the source.\n\n" +
    ` -- ${maintainer}  ${date}\n`;
}

/**
 * Writes the file `copyright` (copyright-format 1.0).
 *
 * @param licence The tool's own licence, a title, a line of copyright and the text of MIT's.
 */
export function copyrightText(licence: string): string {
  const [, holder = ""] = /^Copyright \(c\) (.+)$/m.exec(licence) ?? [];
  const [, text = ""] = /^Copyright .*\n\n([\s\S]+)$/m.exec(licence) ?? [];
  const body = text.trimEnd().split("\n").map((line) => ` ${line === "" ? "." : line}\n`).join("");
  return [
    "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/",
    "Upstream-Name: synsnoop",
    "",
    "Files: *",
    `Copyright: ${holder}`,
    "License: MIT",
    "",
    "Files: usr/lib/synsnoop/deno",
    "Copyright: 2018-2026 the Deno authors",
    "License: MIT",
    "Comment: The runtime Deno, as npm has it. It has V8, Rust crates and other parts in it, whose",
    " licences https://github.com/denoland/deno lists.",
    "",
    "Files: usr/lib/synsnoop/src/output/report/uplot/*",
    "Copyright: 2022 Leon Sorokin",
    "License: MIT",
    "",
    `License: MIT\n${body}`,
  ].join("\n");
}

/**
 * The oldest glibc that a program runs with: the newest of the versions that its symbols ask for.
 *
 * @param program An ELF file that is linked with glibc.
 * @throws {Error} It names none.
 */
export function oldestGlibc(program: Uint8Array): string {
  const text = new TextDecoder("latin1").decode(program);
  const versions = Array.from(
    text.matchAll(/\0GLIBC_2\.(\d{1,3})(?:\.\d+)?(?=\0)/g),
    ([, minor]) => Number(minor),
  );
  if (versions.length === 0) throw new Error("the runtime asks for no version of glibc");
  return `2.${Math.max(...versions)}`;
}

import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import {
  changelogText,
  controlText,
  copyrightText,
  MAINTAINER_SCRIPTS,
  oldestGlibc,
} from "../../../src/install/debian_control.ts";

const MAINTAINER = "The authors <nobody@synsnoop.invalid>";

Deno.test("controlText has the fields that dpkg reads, and a description of whole lines", () => {
  const text = controlText({
    version: "1.2.3",
    architecture: "arm64",
    maintainer: MAINTAINER,
    glibc: "2.27",
    installedBytes: 1025,
  });
  const [fields, ...description] = text.split(/(?=\nDescription: )/);
  assertEquals(Object.fromEntries(fields.split("\n").map((line) => line.split(/: (.*)/, 2))), {
    "Package": "synsnoop",
    "Version": "1.2.3",
    "Architecture": "arm64",
    "Maintainer": MAINTAINER,
    "Installed-Size": "2",
    "Depends": "bpftrace, passwd, libc6 (>= 2.27), libgcc-s1",
    "Suggests": "logrotate, systemd",
    "Section": "net",
    "Priority": "optional",
  });
  for (const line of description.join("").trim().split("\n").slice(1)) {
    assert(/^ \S/.test(line) && line.length <= 80, line);
  }
  assert(text.endsWith("\n"));
});

Deno.test("changelogText is dated as RFC 2822 has it", () => {
  assertStringIncludes(
    changelogText("1.2.3", MAINTAINER, 1_700_000_000),
    `\n -- ${MAINTAINER}  Tue, 14 Nov 2023 22:13:20 +0000\n`,
  );
});

Deno.test("copyrightText has the tool's own holder and the whole licence, without an empty line", () => {
  const licence = "MIT License\n\nCopyright (c) 2026 us\n\nPermission is\nhereby\n\nTHE SOFTWARE\n";
  const text = copyrightText(licence);
  assertStringIncludes(text, "\nFiles: *\nCopyright: 2026 us\nLicense: MIT\n");
  assertStringIncludes(text, "\n\nLicense: MIT\n Permission is\n hereby\n .\n THE SOFTWARE\n");
});

Deno.test("no script of the package enables or starts the service", () => {
  for (const [name, script] of Object.entries(MAINTAINER_SCRIPTS)) {
    assertEquals(/\b(?:enable|start|restart|unmask)\b(?<!try-restart)/.test(script), false, name);
  }
});

Deno.test("oldestGlibc is the newest version asked for, by number and not by text", () => {
  const bytes = (text: string) => new TextEncoder().encode(text);
  assertEquals(oldestGlibc(bytes("\0GLIBC_2.4\0GLIBC_2.17\0x\0GLIBC_2.2.5\0")), "2.17");
  // A text that has it inside asks for nothing.
  assertEquals(oldestGlibc(bytes("\0GLIBC_2.9\0need GLIBC_2.99 here\0")), "2.9");
  assertThrows(() => oldestGlibc(bytes("static")), Error, "asks for no version of glibc");
});

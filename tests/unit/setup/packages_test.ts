import { assertEquals } from "@std/assert";
import {
  commandToRun,
  installCommands,
  type MANAGERS,
  type Need,
  needName,
} from "../../../src/setup/packages.ts";
import { TEST_NEEDS } from "../../../src/setup/test_needs.ts";
import { TRACE_NEEDS } from "../../../src/setup/trace_needs.ts";

function need(name: string): Need {
  return TEST_NEEDS.find((each) => needName(each) === name)!;
}

Deno.test("installCommands refreshes apt-get's list first and lets nothing ask", () => {
  const commands = installCommands("apt-get", [need("bpftrace"), need("tshark")]);
  assertEquals(commands.map((each) => each.words.slice(0, 2)), [
    ["apt-get", "update"],
    ["apt-get", "install"],
  ]);
  for (const { env } of commands) assertEquals(env.DEBIAN_FRONTEND, "noninteractive");
  const { words } = commands[1];
  assertEquals(words.slice(2, 4), ["-y", "--no-install-recommends"]);
  assertEquals(words.includes("DPkg::Lock::Timeout=120"), true);
  assertEquals(words.slice(-2), ["bpftrace", "tshark"]);
});

const LAST_COMMANDS: { manager: typeof MANAGERS[number]; expected: string }[] = [
  {
    manager: "dnf",
    expected: "dnf install -y --setopt=install_weak_deps=False iproute wireshark-cli glibc-devel",
  },
  { manager: "pacman", expected: "pacman -Sy --needed --noconfirm iproute2 wireshark-cli glibc" },
  {
    manager: "zypper",
    expected: "zypper --non-interactive install --no-recommends iproute2 wireshark glibc-devel",
  },
  { manager: "apk", expected: "apk add --no-cache iproute2 tshark musl-dev" },
];

for (const { manager, expected } of LAST_COMMANDS) {
  Deno.test(`installCommands names the packages as ${manager} does`, () => {
    const needs = [need("ip"), need("tshark"), need("/usr/include/stdio.h")];
    assertEquals(installCommands(manager, needs).map((each) => each.words.join(" ")), [expected]);
  });
}

Deno.test("commandToRun is what a person types", () => {
  const cases: { manager?: typeof MANAGERS[number]; root: boolean; expected?: string }[] = [
    {
      manager: "apt-get",
      root: false,
      expected: "sudo apt-get install --no-install-recommends bpftrace",
    },
    { manager: "dnf", root: true, expected: "dnf install bpftrace" },
    { manager: "pacman", root: false, expected: "sudo pacman -S --needed bpftrace" },
    { manager: "zypper", root: true, expected: "zypper install bpftrace" },
    { manager: "apk", root: true, expected: "apk add bpftrace" },
    { manager: undefined, root: true, expected: undefined },
  ];
  for (const { manager, root, expected } of cases) {
    assertEquals(commandToRun(manager, TRACE_NEEDS, root), expected);
  }
});

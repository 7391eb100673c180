import { assertEquals } from "@std/assert";
import { adviseCommand, adviseFlag, adviseOperands } from "../../../../src/cli/flags/advice.ts";
import type { Flag } from "../../../../src/cli/flags/flags.ts";

const flags = (...names: string[]): Flag[] => names.map((name) => ({ name, meaning: "" }));
const FEW = flags("json", "help");
const MANY = flags("port", "pid", "host", "output", "failed", "json", "wide", "count", "help");

Deno.test("adviseFlag proposes flags that the command has alone, and lists few of them", () => {
  const cases: [typed: string, flags: Flag[], expected: string][] = [
    ["p", MANY, "did you mean --port or --pid?"],
    ["p", flags("pid"), "did you mean --pid?"],
    ["prot", MANY, "did you mean --port?"],
    ["quiet", MANY, "2>/dev/null leaves the messages out"],
    ["quiet", FEW, "the flags here are --json, --help"],
    ["zzz", MANY, "--help lists those that there are"],
    // What every object has is no word of the table.
    ["constructor", MANY, "--help lists those that there are"],
    ["", MANY, "--help lists those that there are"],
  ];
  for (const [typed, table, expected] of cases) assertEquals(adviseFlag(typed, table), expected);
});

Deno.test("adviseOperands tells what a word looks like", () => {
  const cases: [words: string, expected: string][] = [
    ["a.pcapng.gz", "to read a file give synsnoop read a.pcapng.gz"],
    ["./run.sh", "to read a file give synsnoop read ./run.sh, to run it synsnoop x -- ./run.sh"],
    ["8000-8999", "did you mean --port 8000-8999?"],
    ["2001:db8::/32", "did you mean --host 2001:db8::/32?"],
    ["enp3s0", "did you mean --interface enp3s0?"],
    ["dst 10.0.0.1", "filters are flags here, such as --port 443 or --host 192.0.2.1"],
    ["failed", "did you mean --failed?"],
    ["wget -q x", "x takes flags; a command to run stands behind --: synsnoop x -- wget -q x"],
    ["__proto__", "x takes flags; a command to run stands behind --: synsnoop x -- __proto__"],
  ];
  for (const [words, expected] of cases) {
    assertEquals(adviseOperands("x", words.split(" "), MANY, true), expected);
  }
  assertEquals(adviseOperands("x", ["443"], FEW), "x takes flags only, see synsnoop x --help");
  assertEquals(adviseOperands("x", ["json"], FEW), "did you mean --json?");
});

Deno.test("adviseCommand knows files, flags and the commands of other tools, and nothing else", () => {
  const cases: [words: string, expected: string | undefined][] = [
    ["-r", "did you mean synsnoop read FILE?"],
    ["-i eth0", "did you mean synsnoop trace --interface eth0?"],
    ["--json", "a command stands before flags, as in synsnoop trace --failed"],
    ["-", "did you mean synsnoop read -?"],
    ["/var/log/x", "did you mean synsnoop read /var/log/x?"],
    ["sniff", "did you mean synsnoop trace?"],
    ["status", "did you mean synsnoop doctor?"],
    ["frobnicate", undefined],
    ["toString", undefined],
  ];
  for (const [words, expected] of cases) assertEquals(adviseCommand(words.split(" ")), expected);
});

import { assertEquals, assertMatch } from "@std/assert";
import { describeLack, lackedCapabilities } from "../../../src/kernel/capabilities.ts";

/** The names of what a process lacks that has the capabilities of these numbers. */
function lacked(...bits: number[]): string[] {
  const effective = bits.reduce((sum, bit) => sum | 1n << BigInt(bit), 0n);
  const status = `Name:\tdeno\nCapInh:\t0000000000000000\nCapPrm:\t000001ffffffffff\n` +
    `CapEff:\t${effective.toString(16).padStart(16, "0")}\nCapBnd:\t000001ffffffffff\n`;
  return lackedCapabilities(status);
}

const [DAC_READ_SEARCH, NET_RAW, SYS_PTRACE, SYS_ADMIN, PERFMON, BPF] = [2, 13, 19, 21, 38, 39];

Deno.test("lackedCapabilities names what is not in the effective set", () => {
  assertEquals(lacked(), [
    "CAP_NET_RAW",
    "CAP_SYS_PTRACE",
    "CAP_DAC_READ_SEARCH",
    "CAP_BPF",
    "CAP_PERFMON",
    "CAP_SYS_ADMIN",
  ]);
  assertEquals(lacked(DAC_READ_SEARCH, NET_RAW, SYS_PTRACE, BPF), ["CAP_PERFMON", "CAP_SYS_ADMIN"]);
  assertEquals(lacked(DAC_READ_SEARCH, SYS_PTRACE, PERFMON, BPF), ["CAP_NET_RAW", "CAP_SYS_ADMIN"]);
});

Deno.test("lackedCapabilities takes CAP_SYS_ADMIN for CAP_BPF and CAP_PERFMON", () => {
  assertEquals(lacked(DAC_READ_SEARCH, NET_RAW, SYS_PTRACE, SYS_ADMIN), []);
  assertEquals(lacked(SYS_ADMIN), ["CAP_NET_RAW", "CAP_SYS_PTRACE", "CAP_DAC_READ_SEARCH"]);
});

Deno.test("lackedCapabilities finds nothing where the text does not tell", () => {
  for (const status of ["", "CapEff:\tx\n", "CapEff:\n"]) {
    assertEquals(lackedCapabilities(status), [], status);
  }
});

Deno.test("describeLack tells what a trace does without a capability", () => {
  assertEquals(describeLack("CAP_NET_RAW"), "CAP_NET_RAW (no packets)");
  for (const name of lacked()) assertMatch(describeLack(name), new RegExp(`^${name} \\(.+\\)$`));
  assertEquals(describeLack("CAP_OTHER"), "CAP_OTHER");
});

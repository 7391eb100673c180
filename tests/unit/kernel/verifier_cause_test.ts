import { assertEquals } from "@std/assert";
import { verifierCause } from "../../../src/kernel/verifier_cause.ts";

Deno.test("verifierCause tells the fault in a few words, never the log", () => {
  const before =
    "344: (bf) r4 = r2                     ; R2=fp-104 R4=fp-104\n345: (0f) r4 += r3\n";
  const counts = "processed 553 insns (limit 1000000) max_states_per_insn 2 total_states 44\n";
  const perfmon = "the kernel's verifier allows it only with CAP_PERFMON beside CAP_BPF";
  const cases: { log: string; cause: string | undefined }[] = [
    {
      log: before + "R4 tried to add from different maps, paths or scalars, pointer arithmetic " +
        "with it prohibited for !root\n" + counts,
      cause: perfmon,
    },
    { log: "function calls are allowed for unprivileged only\n", cause: perfmon },
    {
      log: before + "invalid access to packet, off=12 size=4\n" + counts,
      cause: "the kernel's verifier refuses it: invalid access to packet, off=12 size=4",
    },
    { log: "unreachable insn 5", cause: "the kernel's verifier refuses it: unreachable insn 5" },
    {
      log: "x".repeat(5_000),
      cause: `the kernel's verifier refuses it: ${"x".repeat(100)}`,
    },
    { log: "", cause: undefined },
    { log: counts, cause: undefined },
  ];
  for (const { log, cause } of cases) assertEquals(verifierCause(log), cause, log.slice(0, 50));
});

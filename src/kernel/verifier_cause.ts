/** What the verifier says of what it allows only to whom may see kernel addresses (bpf_allow_ptr_leaks). */
const NEEDS_PERFMON = /prohibited for !root|unprivileged/;
/** Its last line, of a program that it refuses too. */
const COUNTS = /^processed \d+ insns/;
const CAUSE_LENGTH = 100;

/**
 * Finds why the kernel's verifier refuses a BPF program.
 *
 * @param log What it wrote: every instruction that it looked at, then the fault.
 * @returns A few words for a person, untrusted as the log is; undefined where the log says nothing.
 */
export function verifierCause(log: string): string | undefined {
  const fault = log.trimEnd().split("\n").findLast((line) => line !== "" && !COUNTS.test(line));
  if (fault === undefined) return undefined;
  return NEEDS_PERFMON.test(fault)
    ? "the kernel's verifier allows it only with CAP_PERFMON beside CAP_BPF"
    : `the kernel's verifier refuses it: ${fault.slice(0, CAUSE_LENGTH)}`;
}

/** `RUSAGE_CHILDREN` (sys/resource.h): processes that ended and were waited for, and theirs. */
const RUSAGE_CHILDREN = -1;
/** `struct rusage` on 64-bit Linux; it begins with two `struct timeval`, of user space and the kernel. */
const RUSAGE_LENGTH = 144;

const { symbols } = Deno.dlopen("libc.so.6", {
  // int getrusage(int who, struct rusage *usage)
  getrusage: { parameters: ["i32", "buffer"], result: "i32" },
});

/** Seconds of CPU that all processes took which this one started and that have ended, to the microsecond. */
export function childrenCpuSeconds(): number {
  const usage = new BigInt64Array(RUSAGE_LENGTH / 8);
  if (symbols.getrusage(RUSAGE_CHILDREN, usage) !== 0) throw new Error("Cannot call getrusage");
  const [userS, userUs, systemS, systemUs] = [...usage.subarray(0, 4)].map(Number);
  return userS + systemS + (userUs + systemUs) / 1e6;
}

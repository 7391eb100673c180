import { assertEquals } from "@std/assert";
import { constants } from "node:os";
import { errnoName } from "../../../src/kernel/errno.ts";

Deno.test("errnoName names what a connect() can end with", () => {
  const cases = [
    { input: 0, expected: undefined },
    { input: 101, expected: "ENETUNREACH" },
    { input: 103, expected: "ECONNABORTED" },
    { input: 104, expected: "ECONNRESET" },
    { input: 110, expected: "ETIMEDOUT" },
    { input: 111, expected: "ECONNREFUSED" },
    { input: 113, expected: "EHOSTUNREACH" },
    // The kernel's own, which the system's table does not have (include/linux/errno.h).
    { input: 524, expected: "ENOTSUPP" },
  ];
  for (const { input, expected } of cases) assertEquals(errnoName(input), expected);
});

Deno.test("errnoName says the number of one it does not know", () => {
  // Linux left this number free.
  assertEquals(errnoName(41), "ERRNO_41");
  assertEquals(errnoName(65_535), "ERRNO_65535");
});

// Of Linux, on the architectures with the generic numbers: what the tool runs on.
Deno.test("errnoName agrees with the system's own table", () => {
  const system: Record<string, number> = { ...constants.errno };
  const known: string[] = [];
  for (let errno = 1; errno < 200; errno++) {
    const name = errnoName(errno);
    if (name === undefined || name.startsWith("ERRNO_")) continue;
    known.push(name);
    // The runtime's table lacks this one (errno.h: Host is down).
    if (name !== "EHOSTDOWN") assertEquals(system[name], errno, name);
  }
  assertEquals(known.includes("ECONNREFUSED"), true);
});

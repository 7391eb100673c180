import { assertEquals } from "@std/assert";
import { isRelease } from "../../../src/kernel/release.ts";

Deno.test("isRelease compares a release with another", () => {
  const cases: [release: string, isSixFour: boolean][] = [
    ["6.4.0", true],
    ["6.4", true],
    ["6.12.107+deb13-amd64", true],
    ["7.0-rc1", true],
    ["6.3.13", false],
    ["6.1.0-50-arm64", false],
    ["5.15.0", false],
    ["", false],
    ["none", false],
  ];
  for (const [release, expected] of cases) {
    assertEquals(isRelease(release, 6, 4), expected, release);
  }
});

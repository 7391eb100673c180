import { assertEquals } from "@std/assert";
import { LINUX_RETRY_SETTINGS, retryWaits } from "../../../src/match/retry_waits.ts";

Deno.test("retryWaits is the last of the timeouts that double, up to the longest", () => {
  const cases = [
    // ip-sysctl: the SYN is sent for the last time after 67 s, and given up after 131 s.
    { settings: {}, unansweredS: 64, halfOpenS: 32 },
    { settings: { synRetries: 0, synAckRetries: 1 }, unansweredS: 1, halfOpenS: 2 },
    { settings: { synRetries: 7, synAckRetries: 255 }, unansweredS: 120, halfOpenS: 120 },
    { settings: { rtoMaxMs: 4_000 }, unansweredS: 4, halfOpenS: 4 },
  ];
  for (const { settings, unansweredS, halfOpenS } of cases) {
    const { unansweredNs, halfOpenNs } = retryWaits({ ...LINUX_RETRY_SETTINGS, ...settings });
    assertEquals(Math.round(unansweredNs / 1.1e9), unansweredS, JSON.stringify(settings));
    assertEquals(Math.round(halfOpenNs / 1.1e9), halfOpenS, JSON.stringify(settings));
  }
});

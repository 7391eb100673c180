import { assertEquals, assertThrows } from "@std/assert";
import { outcomesLeft } from "../../../../src/cli/flags/contradictions.ts";
import { FILTER_FLAGS, parseFilter } from "../../../../src/cli/flags/filter_options.ts";
import { parseFlags } from "../../../../src/cli/flags/flags.ts";
import { UsageError } from "../../../../src/cli/usage.ts";
import { OUTCOMES } from "../../../../src/match/handshake.ts";

const FAILURES = OUTCOMES.filter((outcome) => outcome !== "established").join();

function parse(line: string) {
  return parseFilter(parseFlags(line.split(" "), FILTER_FLAGS), {
    nowMs: 1_795_395_723_250,
    uidOf: () => undefined,
  });
}

const REFUSED: { args: string; says: string }[] = [
  {
    args: "--failed --outcome established",
    says: 'Cannot use --failed with --outcome "established": no outcome is left',
  },
  {
    args: `--failed --not-outcome ${FAILURES}`,
    says: `Cannot use --failed with --not-outcome "${FAILURES}": no outcome is left`,
  },
  {
    args: "--outcome refused,timeout --not-outcome timeout,refused",
    says: 'Cannot use --outcome "refused,timeout" with --not-outcome "timeout,refused": no outcome',
  },
  {
    args: `--not-outcome ${OUTCOMES.join()}`,
    says: `Cannot use --not-outcome "${OUTCOMES.join()}": no outcome is left`,
  },
  {
    args: "--port 80 --not-port 80",
    says: 'Cannot use --port "80" with --not-port "80": no port is left',
  },
  {
    // The ranges cover it together, in whatever order.
    args: "--port 8000-8999 --not-port 8500-9000,7000-8100,8101-8499",
    says: 'Cannot use --port "8000-8999" with --not-port "8500-9000,7000-8100,8101-8499"',
  },
  {
    args: "--server-port 443 --port 1-65535 --not-port 443",
    says: 'Cannot use --server-port "443" with --not-port "443": no port is left',
  },
  { args: "--not-port 1-65535", says: 'Cannot use --not-port "1-65535": no port is left' },
  {
    args: "--host 10.1.0.0/16,::1 --not-host ::/64,10.0.0.0/8",
    says: 'Cannot use --host "10.1.0.0/16,::1" with --not-host "::/64,10.0.0.0/8": no address',
  },
  {
    args: "--not-host ::/0 --not-host 0.0.0.0/0",
    says: 'Cannot use --not-host "::/0,0.0.0.0/0": no address is left',
  },
  {
    args: "--comm curl --not-comm wget,curl",
    says: 'Cannot use --comm "curl" with --not-comm "wget,curl": no name is left',
  },
  {
    args: "--container web --not-container db,web",
    says: 'Cannot use --container "web" with --not-container "db,web": no container is left',
  },
  {
    args: "--since 1h --until 2h",
    says:
      'Cannot use --since "1h" with --until "2h": nothing begins in between; the earlier one is',
  },
  { args: "--since 1h --until 1h", says: 'Cannot use --since "1h" with --until "1h"' },
  {
    args: "--since 2026-11-23T01:02:03.2Z --until 2026-11-23T01:02:03.1Z",
    says: 'Cannot use --since "2026-11-23T01:02:03.2Z" with',
  },
];

for (const { args, says } of REFUSED) {
  Deno.test(`refuseContradictions refuses "${args}" in one sentence`, () => {
    const { message } = assertThrows(() => parse(args), UsageError, says);
    assertEquals(message.includes("\n"), false);
  });
}

for (
  const args of [
    "--failed --outcome refused",
    "--port 80,443 --not-port 80",
    "--port 8000-8999 --not-port 8000-8998",
    "--port 8000-8999 --not-port 8001-8999",
    "--port 8000-8999 --not-port 8000-8400,8402-8999",
    // One end may have the one port, the other the other.
    "--port 80 --server-port 443",
    "--not-port 1-65534",
    "--host 10.0.0.0/8 --not-host 10.1.0.0/16",
    // No IPv4 address is in a network of IPv6.
    "--host 10.0.0.0/8 --not-host ::/0",
    "--not-host ::/0",
    "--comm curl,wget --not-comm curl",
    "--container web,db --not-container db",
    // Some containers may have a name that looks like an id.
    "--container 3f9a1 --not-container 3f9a",
    "--comm nobody-runs --user nobody-yet --cgroup /not/there --traced-on nowhere",
  ]
) {
  Deno.test(`refuseContradictions lets "${args}" be`, () => {
    parse(args);
  });
}

Deno.test("outcomesLeft is nothing where no flag is about outcomes", () => {
  assertEquals(outcomesLeft(false, undefined, undefined), undefined);
  assertEquals(outcomesLeft(true, undefined, undefined)?.join(), FAILURES);
  assertEquals(outcomesLeft(false, ["dropped"], ["refused"]), ["dropped"]);
});

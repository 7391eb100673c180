import { assert, assertEquals, assertMatch } from "@std/assert";
import fc from "fast-check";
import { Pseudonyms } from "../../../src/anonymize/pseudonyms.ts";
import { AnonymousContext } from "../../../src/anonymize/anonymous_context.ts";
import { hideStatus } from "../../../src/anonymize/status_members.ts";

const NAMES = new Pseudonyms(new Uint8Array(32).fill(9));
const LINE = {
  v: 1,
  event: "status",
  time: "2026-11-23T01:02:03.123456789Z",
  host: "web1",
  host_id: "0123456789ab4def8123456789abcdef",
  tracer: "4242-1795395723000",
  version: "0.2.0",
  since: "2026-11-23T01:02:00.000000000Z",
  filters: ["--host 192.0.2.1", "--failed", "-- /srv/secret", "secret"],
  sample: 10,
  sources: {
    wire: [{ netns: 1, interface: "eth0", up: true }, { netns: 2, up: false }],
    kernel: "fentry",
  },
  handshakes: 3,
};

Deno.test("hideStatus tells the same of a run by other names", () => {
  const { host, host_id, filters, sources, ...rest } = hideStatus(LINE, NAMES);
  assertEquals(rest, {
    time: LINE.time,
    tracer: LINE.tracer,
    since: LINE.since,
    sample: 10,
  });
  assertMatch(String(host), /^host-[0-9a-f]{10}$/);
  assertMatch(String(host_id), /^(?!0123)[0-9a-f]{32}$/);
  assertEquals(filters, ["--host ...", "--failed", "-- ...", "-- ..."]);
  const nowhere = { host: "", interfaceName: () => undefined };
  const eth0 = new AnonymousContext(nowhere, NAMES).interfaceOf("eth0");
  assertEquals(sources, {
    wire: [
      { netns: 1, interface: eth0, up: true },
      { netns: 2, interface: undefined, up: false },
    ],
    kernel: "fentry",
  });
});

Deno.test("hideStatus lets no text through, wherever it stands", () => {
  const secret = "10.0.0.1 secret";
  const hide = (value: unknown): unknown => {
    if (Array.isArray(value)) {
      return [...value.map(hide), secret, { interface: secret, up: secret }];
    }
    if (typeof value !== "object" || value === null) return secret;
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, hide(inner)]));
  };
  const hidden = JSON.stringify(hideStatus(hide(LINE) as typeof LINE, NAMES));
  assert(!hidden.includes("secret") && !hidden.includes("10.0.0.1"), hidden);
});

Deno.test("hideStatus takes anything for a status line", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...Object.keys(LINE)), fc.jsonValue()), (line) => {
      JSON.stringify(hideStatus(line, NAMES));
    }),
  );
});

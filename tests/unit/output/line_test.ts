import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { formatHandshake, formatHeading } from "../../../src/output/line.ts";
import { widthOf } from "../../../src/text/width.ts";
import { anyHandshake, anyText } from "../record/arbitrary_handshake.ts";
import {
  HANDSHAKES,
  HOSTILE_COMM,
  makeHandshake,
  WORKED_EXAMPLE,
} from "../record/sample_handshakes.ts";

const ENDS = { client: { address: "10.0.0.1" }, server: { address: "10.0.0.2" } };

Deno.test("formatHandshake writes the worked example under its headings", () => {
  assertEquals(
    formatHeading() + formatHandshake(WORKED_EXAMPLE),
    "TIME (UTC)      ROLE     OUTCOME      CLIENT                SERVER                " +
      "CLIENT RTT SERVER RTT CLIENT ISN SERVER ISN CHECKS PROCESS\n" +
      "01:02:03.123456 client   established  192.168.100.191:52312 172.67.149.132:443    " +
      "   10.2 ms    41.0 µs 0x4ce45750 0xc112f693 ✓✓✓    curl/4711 -> ?, tcp_fast_open\n",
  );
});

Deno.test("formatHandshake aligns the columns of every handshake with IPv4", () => {
  const starts = [16, 25, 38, 60, 104, 115, 126];
  for (const handshake of HANDSHAKES.filter(({ ipv4 }) => ipv4)) {
    const line = formatHandshake(handshake);
    for (const start of starts) assertMatch(line.slice(start - 1, start + 1), /^ \S$/, line);
  }
});

Deno.test("formatHandshake writes a dash for what is unknown", () => {
  const words = formatHandshake(makeHandshake(ENDS)).trimEnd().split(/ +/);
  assertEquals(words.slice(5), ["-", "-", "-", "-", "---", "kernel", "only"]);
});

Deno.test("formatHandshake says of an RTT that is withheld why", () => {
  const retransmitted = makeHandshake({
    ...ENDS,
    ambiguous: true,
    firstSynToSynAckNs: 1_000_000,
    serverRttNs: 20_000,
    synCount: 2,
    wire: true,
  });
  const line = formatHandshake(retransmitted);
  assertEquals(line.slice(82, 103), " ambiguous    20.0 µs");
  assertStringIncludes(line, "2 SYNs");
  // The server's is the ambiguous one; the client's is not known for another reason.
  const answeredTwice = makeHandshake({
    ...ENDS,
    ambiguous: true,
    firstSynAckToAckNs: 1_000_000,
    synAckCount: 2,
  });
  assertEquals(formatHandshake(answeredTwice).slice(82, 103), "         -  ambiguous");
  assertStringIncludes(formatHandshake(answeredTwice), "2 SYN-ACKs");
});

Deno.test("formatHandshake shows each check in its place", () => {
  const cases = [
    { checks: [true, false, undefined], expected: "✓✗-" },
    { checks: [undefined, true, false], expected: "-✓✗" },
    { checks: [false, undefined, true], expected: "✗-✓" },
  ];
  for (const { checks, expected } of cases) {
    const [synAckAcknowledgesSyn, ackSequence, ackAcknowledgesSynAck] = checks;
    const line = formatHandshake(
      makeHandshake({ ...ENDS, synAckAcknowledgesSyn, ackSequence, ackAcknowledgesSynAck }),
    );
    assertEquals(line.slice(126, 129), expected);
  }
});

Deno.test("formatHandshake remarks what is known of processes and evidence", () => {
  const process = { pid: 7, comm: "sh", uid: 0, cgroup: 1 };
  const client = { ...ENDS.client, process };
  const server = { ...ENDS.server, process: { ...process, pid: 8 } };
  const cases = [
    { parts: { client, server, wire: true, kernel: true }, expected: "sh/7 -> sh/8" },
    { parts: { ...ENDS, server, kernel: true }, expected: "? -> sh/8, kernel only" },
    { parts: { ...ENDS, wire: true, reason: "ECONNREFUSED" }, expected: "ECONNREFUSED, wire only" },
    { parts: { ...ENDS, wire: true, kernel: true }, expected: "" },
  ];
  for (const { parts, expected } of cases) {
    assertEquals(formatHandshake(makeHandshake(parts)).slice(133).trimEnd(), expected);
  }
});

Deno.test("formatHandshake remarks once why the kernel dropped and refused", () => {
  const both = { ...ENDS, wire: true, kernel: true };
  const queue = { dropReason: "ACCEPT_QUEUE_FULL", dropQueue: { length: 129, limit: 128 } };
  const cases: { parts: Partial<Parameters<typeof makeHandshake>[0]>; expected: string }[] = [
    {
      parts: {
        outcome: "dropped",
        reason: "NETFILTER_DROP",
        dropCount: 2,
        dropReason: "NETFILTER_DROP",
      },
      expected: "NETFILTER_DROP, 2 dropped",
    },
    {
      parts: { outcome: "dropped", reason: "ACCEPT_QUEUE_FULL", dropCount: 1, ...queue },
      expected: "ACCEPT_QUEUE_FULL, 1 dropped (queue 129/128)",
    },
    {
      parts: { outcome: "established", dropCount: 1, ...queue, synCount: 2 },
      expected: "1 dropped: ACCEPT_QUEUE_FULL (queue 129/128), 2 SYNs",
    },
    {
      parts: {
        outcome: "timeout",
        reason: "ETIMEDOUT",
        dropCount: 7,
        dropReason: "NETFILTER_DROP",
      },
      expected: "ETIMEDOUT, 7 dropped: NETFILTER_DROP",
    },
    {
      parts: {
        outcome: "refused",
        reason: "ECONNREFUSED",
        resetReason: "NO_SOCKET",
        dropCount: 1,
        dropReason: "NO_SOCKET",
      },
      expected: "ECONNREFUSED, reset: NO_SOCKET",
    },
    {
      parts: { outcome: "refused", reason: "NO_SOCKET", resetReason: "NO_SOCKET" },
      expected: "NO_SOCKET",
    },
    {
      parts: {
        outcome: "refused",
        reason: "NO_SOCKET",
        resetReason: "NO_SOCKET",
        dropCount: 1,
        dropReason: "NETFILTER_DROP",
      },
      expected: "NO_SOCKET, 1 dropped: NETFILTER_DROP",
    },
    {
      parts: { outcome: "established", resetReason: "TCP_ABORT_ON_OVERFLOW" },
      expected: "reset: TCP_ABORT_ON_OVERFLOW",
    },
    {
      parts: { reason: HOSTILE_COMM, dropReason: "a\x1b", dropCount: 1, resetReason: "b\x9b" },
      expected: String.raw`\u{1b}[2J\u{a}{"v":1}\u{9b}1m\u{202e}\u{2028}, ` +
        String.raw`reset: b\u{9b}, 1 dropped: a\u{1b}`,
    },
  ];
  for (const { parts, expected } of cases) {
    const line = formatHandshake(makeHandshake({ ...both, ...parts }));
    assertEquals(line.slice(133).trimEnd(), expected);
  }
});

Deno.test("formatHandshake puts brackets round IPv6 and pushes what follows right", () => {
  const line = formatHandshake(makeHandshake({
    client: { address: "2001:db8:ffff:ffff:ffff:ffff:ffff:1", port: 65_535 },
    server: { address: "::1", port: 80 },
  }));
  assertStringIncludes(line, " [2001:db8:ffff:ffff:ffff:ffff:ffff:1]:65535 [::1]:80 ");
});

Deno.test("formatHandshake shows a hostile name and lets none of it act", () => {
  const process = { pid: 7, comm: HOSTILE_COMM, uid: 0, cgroup: 1 };
  const line = formatHandshake(makeHandshake({ ...ENDS, client: { ...ENDS.client, process } }));
  assertStringIncludes(
    line,
    String.raw`\u{1b}[2J\u{a}{"v":1}\u{9b}1m\u{202e}\u{2028}/7 -> ?`,
  );
});

/** A client in a container, a server of another or of a unit. */
const PLACES = {
  cgroupPath: (id: number) => ["/", "/a", "/b", "/system.slice/billing.service"][id],
  container: (id: number) =>
    [, { id: "3f9a".repeat(16), name: "web-frontend" }, { id: "0123456789abcdef" }][id],
  netnsName: (netns: number) => netns === 1 ? "" : netns === 2 ? "blue" : undefined,
};

function between(client: number, server: number, netns = 3): ReturnType<typeof makeHandshake> {
  const process = { pid: 4711, comm: "curl", uid: 0 };
  return makeHandshake({
    client: { address: "10.0.0.1", port: 40_000, process: { ...process, cgroup: client } },
    server: {
      address: "10.0.0.2",
      port: 80,
      process: { ...process, comm: "nginx", cgroup: server },
    },
    role: "local",
    outcome: "refused",
    reason: "ECONNREFUSED",
    netns,
    wire: true,
    kernel: true,
  });
}

Deno.test("formatHandshake names containers beside processes, as the width allows", () => {
  const cells = (width: number, from: number) =>
    formatHandshake(between(1, 2), { width, netns: true, cgroups: true }, PLACES).slice(from);
  assertEquals(cells(80, 25), "curl@web-f…tend nginx@012345678:80    ECONNREFUSED\n");
  assertEquals(cells(100, 79), "ECONNREFUSED, curl@w…\n");
  assertEquals(cells(120, 79), "ECONNREFUSED, curl@web-frontend -> nginx…\n");
  assertEquals(cells(160, 108), "ECONNREFUSED, curl/4711@web-frontend -> nginx/4711@…\n");
  assertEquals(
    cells(Infinity, 133),
    "curl/4711@web-frontend -> nginx/4711@0123456789ab, ECONNREFUSED\n",
  );
});

Deno.test("formatHandshake names units and namespaces where it is told to, and no container is", () => {
  const whole = (netns: number, style: Parameters<typeof formatHandshake>[1]) =>
    formatHandshake(between(0, 3, netns), style, PLACES).slice(133).trimEnd();
  const plain = "curl/4711 -> nginx/4711, ECONNREFUSED";
  const units = "curl/4711 -> nginx/4711@billing.service, ECONNREFUSED";
  assertEquals(whole(2, {}), plain);
  assertEquals(whole(2, { cgroups: true }), units);
  assertEquals(whole(2, { netns: true }), `${plain}, netns blue`);
  assertEquals(whole(3, { netns: true, cgroups: true }), `${units}, netns 3`);
  // That of the tool needs no name.
  assertEquals(whole(1, { netns: true }), plain);
  const narrow = formatHandshake(between(0, 3, 2), { width: 80, netns: true }, PLACES);
  assertEquals(narrow.slice(25), "curl            nginx:80              ECONNREFUSED, ne…\n");
});

Deno.test("formatHandshake fits its width and lets nothing act, whatever containers are called", () => {
  const name = fc.oneof(anyText(), fc.constant("コンテナの名前は長い"));
  fc.assert(fc.property(anyHandshake(), name, fc.nat({ max: 250 }), (handshake, name, width) => {
    const context = { container: () => ({ name }), cgroupPath: () => name, netnsName: () => name };
    for (const ascii of [false, true]) {
      const style = { width, ascii, netns: true, cgroups: true };
      const line = formatHandshake(handshake, style, context);
      assertEquals(line.indexOf("\n"), line.length - 1);
      assertEquals(widthOf(line.slice(0, -1)) <= Math.max(width, 1), true, line);
      assert(!/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(line.slice(0, -1)));
    }
  }));
});

Deno.test("formatHandshake writes one line of any handshake", () => {
  fc.assert(fc.property(anyHandshake(), (handshake) => {
    const line = formatHandshake(handshake);
    assertEquals(line.indexOf("\n"), line.length - 1);
    assert(!/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(line.slice(0, -1)));
    assertEquals(line.trimEnd(), line.slice(0, -1));
  }));
});

Deno.test("formatHandshake writes ASCII alone where asked to, in the same places", () => {
  const process = { pid: 7, comm: "naïve µ", uid: 0, cgroup: 1 };
  const checks = { synAckAcknowledgesSyn: true, ackSequence: false };
  const handshake = makeHandshake({
    ...ENDS,
    ...checks,
    clientRttNs: 41_000,
    client: { ...ENDS.client, process },
  });
  const [line, ascii] = [formatHandshake(handshake), formatHandshake(handshake, { ascii: true })];
  assertEquals(
    ascii,
    line.replace("µs", "us").replace("✓✗-", "yn-")
      .replace("naïve µ", "na\\u{ef}ve \\u{b5}"),
  );
  fc.assert(fc.property(anyHandshake(), (any) => {
    assert(/^[ -~]*\n$/.test(formatHandshake(any, { ascii: true })));
  }));
});

Deno.test("formatHandshake shows in 80 columns who, to whom, how it ended, how long or why", () => {
  const narrow = { width: 80 };
  const lines = HANDSHAKES.slice(0, 5).map((handshake) => formatHandshake(handshake, narrow));
  assertEquals(
    formatHeading(narrow) + lines.join(""),
    "TIME (UTC)   OUTCOME     CLIENT          SERVER                RTT OR REASON\n" +
      "01:02:03.123 established curl            172.67.149.132:443    10.2 ms, tcp_fas…\n" +
      "01:02:02.999 established 2001:db8::7     nginx:443\n" +
      "01:02:04.500 unanswered  10.0.0.2        198.51.100.2:443\n" +
      "01:02:05.000 refused     python3         127.0.0.1:43391       ECONNREFUSED\n" +
      "01:02:06.000 established curl            203.0.113.9:22        ambiguous, 3 SYN…\n",
  );
});

Deno.test("formatHandshake has more columns where the terminal is wider", () => {
  const has = (width: number, heading: string) => formatHeading({ width }).includes(heading);
  for (
    const [heading, least] of [["NOTES", 100], ["CHECKS", 140], ["ROLE", 180]] as const
  ) {
    assertEquals([has(least - 1, heading), has(least, heading)], [false, true], heading);
  }
  const line = formatHandshake(WORKED_EXAMPLE, { width: 100 });
  assertEquals(
    line,
    "01:02:03.123 established 192.168.100.191:52312 172.67.149.132:443      10.2 ms " +
      "curl/4711 -> ?, tcp_…\n",
  );
});

Deno.test("formatHandshake never writes more than the terminal's columns, of any handshake", () => {
  const widths = fc.integer({ min: 20, max: 220 });
  fc.assert(fc.property(anyHandshake(), widths, fc.boolean(), (handshake, width, ascii) => {
    const line = formatHandshake(handshake, { width, ascii });
    assert(widthOf(line.slice(0, -1)) <= width, line);
    assertEquals(line.indexOf("\n"), line.length - 1);
    if (ascii) assertMatch(line, /^[ -~]*\n$/);
  }));
});

Deno.test("formatHandshake gives the round trip through the network, by this host's part", () => {
  const rtts = { clientRttNs: 10_000_000, serverRttNs: 21_000_000 };
  for (
    const [role, expected] of [
      ["client", "10.0 ms"],
      ["server", "21.0 ms"],
      ["local", "31.0 ms"],
      ["observer", "31.0 ms"],
    ] as const
  ) {
    const handshake = makeHandshake({ ...ENDS, role, ...rtts });
    assertEquals(formatHandshake(handshake, { width: 100 }).slice(69, 78).trim(), expected);
  }
});

Deno.test("formatHandshake colours the outcome and nothing else", () => {
  const handshake = makeHandshake({ ...ENDS, role: "client", outcome: "refused" });
  for (const width of [80, 100, 140, 180]) {
    const line = formatHandshake(handshake, { width });
    assertEquals(
      formatHandshake(handshake, { width, colour: true }),
      line.replace("refused", "\x1b[31mrefused\x1b[39m"),
    );
  }
});

Deno.test("formatHandshake gives the time of this host's zone where asked to", () => {
  const at = new Date((WORKED_EXAMPLE.epochSeconds + WORKED_EXAMPLE.timeNs / 1e9) * 1e3);
  const hours = String(at.getHours()).padStart(2, "0");
  const minutes = String(at.getMinutes()).padStart(2, "0");
  const local = { width: 80, localTime: true };
  assertEquals(formatHeading(local).slice(0, 12), "TIME        ");
  assertEquals(formatHandshake(WORKED_EXAMPLE, local).slice(0, 12), `${hours}:${minutes}:03.123`);
});

import { assertEquals } from "@std/assert";
import { formatListenAddress, parseListenAddress } from "../../../src/http/listen_address.ts";

for (
  const [text, expected, isLocal] of [
    ["127.0.0.1:9464", "127.0.0.1:9464", true],
    ["127.8.0.1:1", "127.8.0.1:1", true],
    ["localhost:80", "127.0.0.1:80", true],
    ["[::1]:9464", "[::1]:9464", true],
    ["[::ffff:127.0.0.1]:0", "[::ffff:127.0.0.1]:0", true],
    ["0.0.0.0:9464", "0.0.0.0:9464", false],
    ["[::]:9464", "[::]:9464", false],
    ["192.0.2.1:65535", "192.0.2.1:65535", false],
    ["[2001:db8::1]:9464", "[2001:db8::1]:9464", false],
    ["unix:/run/s.sock", "unix:/run/s.sock", undefined],
    ["systemd", "systemd", undefined],
  ] as const
) {
  Deno.test(`parseListenAddress reads ${text}`, () => {
    const address = parseListenAddress(text);
    assertEquals(address && formatListenAddress(address), expected);
    assertEquals(address?.kind === "tcp" ? address.isLocal : undefined, isLocal);
  });
}

for (
  const text of [
    ...["", "9464", ":9464", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1"],
    ...["::1:9464", "[127.0.0.1]:1", "[::1]", "web1:9464", "256.0.0.1:1", "http://127.0.0.1:1"],
    ...["unix:", `unix:/${"x".repeat(108)}`, "127.0.0.1:1 "],
  ]
) {
  Deno.test(`parseListenAddress refuses "${text}"`, () => {
    assertEquals(parseListenAddress(text), undefined);
  });
}

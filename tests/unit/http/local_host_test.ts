import { assertEquals } from "@std/assert";
import { isLocalHost } from "../../../src/http/local_host.ts";

Deno.test("isLocalHost takes what a client on this host gives", () => {
  const taken = [
    undefined,
    "",
    "127.0.0.1:9464",
    "127.0.0.1",
    "[::1]:9464",
    "[::1]",
    "192.0.2.1:9464",
    "localhost:9464",
    "LocalHost",
    "localhost.:9464",
    "synsnoop.localhost:9464",
    "web1:9464",
  ];
  assertEquals(taken.filter((header) => !isLocalHost(header)), []);
});

Deno.test("isLocalHost refuses a name that a stranger can have lead here", () => {
  const refused = [
    "rebind.example.org:9464",
    "rebind.example.org",
    "example.org.",
    "127.0.0.1.example.org",
    "localhost.example.org:9464",
    "notlocalhost.example:1",
    "a.b, localhost",
    "localhost, a.b",
    "[rebind.example.org]:9464",
    "[localhost]",
    "a.b:c.d:1",
    "user@a.b",
  ];
  assertEquals(refused.filter(isLocalHost), []);
});

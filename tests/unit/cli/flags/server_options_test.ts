import { assertEquals, assertThrows } from "@std/assert";
import { parseFlags } from "../../../../src/cli/flags/flags.ts";
import {
  parseName,
  parseServer,
  parseServers,
  SERVER_FLAGS,
} from "../../../../src/cli/flags/server_options.ts";
import { UsageError } from "../../../../src/cli/usage.ts";

const FLAGS = [{ name: "to", value: "URL", many: true, meaning: "" }, ...SERVER_FLAGS];

Deno.test("parseServers reads servers and who one is there", () => {
  const args = [
    "--to",
    "http://a:8123/,https://b:8443",
    "--to",
    "http://a:8123",
    "--database",
    "x",
  ];
  const parsed = parseFlags([...args, "--clickhouse-user", "me", "--ca", "ca.pem"], FLAGS);
  assertEquals(parseServers(parsed, "to"), {
    origins: ["http://a:8123", "https://b:8443"],
    database: "x",
    user: "me",
    passwordFile: undefined,
    caFile: "ca.pem",
  });
});

Deno.test("parseServer refuses what is no server's address, and quotes no password", () => {
  const cases = [
    ["a:8123", 'Cannot use --to "a:8123": give the address'],
    ["tcp://a:9000", 'Cannot use --to "tcp://a:9000": give the address'],
    ["ftp://me:secret@a", 'Cannot use --to "ftp://…@a": give the address'],
    ["http://me:secret@a:8123", "Cannot use --to with a user or password in it"],
    ["http://a:8123/x", 'Cannot use --to "http://a:8123/x": behind the port nothing stands'],
    ["http://a:8123/?user=x", "behind the port nothing stands"],
  ];
  for (const [text, says] of cases) {
    const error = assertThrows(() => parseServer("to", text), UsageError, says);
    assertEquals(error.message.includes("secret"), false);
  }
});

Deno.test("parseName takes names that mean nothing else anywhere", () => {
  assertEquals(parseName("database", "net_2026"), "net_2026");
  for (const text of ["2026", "a-b", "a`b", "a b", "a".repeat(64)]) {
    assertThrows(() => parseName("database", text), UsageError, "give letters, digits and _");
  }
});

import { assert, assertEquals, assertMatch } from "@std/assert";
import { Pseudonyms } from "../../../src/anonymize/pseudonyms.ts";

const KEY = new Uint8Array(32).fill(9);

Deno.test("Pseudonyms gives the same name again, by key, kind and text", () => {
  const [names, same, other] = [KEY, KEY, new Uint8Array(32)].map((key) => new Pseudonyms(key));
  const word = names.word("host", "host", "web1");
  assertMatch(word, /^host-[0-9a-f]{10}$/);
  assertEquals([names.word("host", "host", "web1"), same.word("host", "host", "web1")], [
    word,
    word,
  ]);
  const others = [
    other.word("host", "host", "web1"),
    names.word("host", "host", "web2"),
    names.word("host", "comm", "web1"),
    names.word("host", "host", ""),
  ];
  assertEquals(new Set([word, ...others]).size, 5);
});

Deno.test("Pseudonyms is HMAC-SHA-256, and a key of its own", () => {
  // By Python's hmac: of "synsnoop: names" with the key, then of "host\\0web1" with what that gives.
  assertEquals(
    new Pseudonyms(KEY).digits("host", "web1", 64),
    "7316ca295538da7fbb85cbc6adc568b7a1f9e8f778f9030f72fb7e67b213a32c",
  );
});

Deno.test("Pseudonyms.path keeps what is below what, and where a path begins", () => {
  const names = new Pseudonyms(KEY);
  const path = (text: string) => names.path("cgroup", text);
  assertEquals([path("/"), path("")], ["/", ""]);
  const [parent, child, twin] = [path("/a"), path("/a/b"), path("/b/b")];
  assertMatch(child, /^\/[0-9a-f]{10}\/[0-9a-f]{10}$/);
  assert(child.startsWith(parent + "/"));
  assertEquals(child.split("/")[2], twin.split("/")[2]);
  assert(!twin.startsWith(parent + "/"));
});

Deno.test("Pseudonyms.uid hides people and keeps services", () => {
  const names = new Pseudonyms(KEY);
  for (const uid of [0, 33, 999, 65_534]) assertEquals(names.uid(uid), uid);
  const hidden = [1_000, 1_001, 60_000, 65_535, 100_000, 4_294_967_294].map((uid) =>
    names.uid(uid)
  );
  assertEquals(new Set(hidden).size, hidden.length);
  for (const uid of hidden) assert(uid >= 65_536 && uid <= 4_294_967_294, String(uid));
  assertEquals(names.uid(1_000), hidden[0]);
});

Deno.test("Pseudonyms remembers so many names, and makes the others anew", () => {
  const names = new Pseudonyms(KEY);
  const before = names.digits("comm", "curl");
  for (let at = 0; at < 10_000; at++) names.digits("comm", `c${at}`);
  assertEquals(names.digits("comm", "curl"), before);
});

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { type Key, KeyDecoder } from "../../../../src/output/top/keys.ts";

const encoder = new TextEncoder();

function decode(...parts: string[]): Key[] {
  const decoder = new KeyDecoder();
  return [...parts.flatMap((part) => decoder.take(encoder.encode(part))), ...decoder.settle()];
}

function names(...parts: string[]): string[] {
  return decode(...parts).map((key) => key.kind === "key" ? `<${key.name}>` : JSON.stringify(key));
}

Deno.test("KeyDecoder tells several keys of one read apart", () => {
  assertEquals(decode("jé日\x1b[A\x1b[<0;5;7Mq"), [
    { kind: "text", text: "j" },
    { kind: "text", text: "é" },
    { kind: "text", text: "日" },
    { kind: "key", name: "up" },
    { kind: "press", column: 4, row: 6 },
    { kind: "text", text: "q" },
  ]);
});

Deno.test("KeyDecoder knows what terminals send for the keys that have a name", () => {
  assertEquals(
    names(
      "\x1b[A\x1bOB\x1b[1;5C\x1b[D\x1b[H\x1bOF\x1b[1~\x1b[4~\x1b[5~\x1b[6~\x1b[3~\x1b[3;2~\x1b[Z",
    ),
    [
      ..."up down right left home end home end page-up page-down delete delete back-tab".split(" ")
        .map((name) => `<${name}>`),
    ],
  );
  assertEquals(
    names("\r\t\x7f\b\x01\x03\x05\x0c\x15\x17\x1a"),
    "enter tab backspace backspace ctrl-a ctrl-c ctrl-e ctrl-l ctrl-u ctrl-w ctrl-z".split(" ")
      .map((name) => `<${name}>`),
  );
});

Deno.test("KeyDecoder takes an ESC for the key only where nothing follows", () => {
  assertEquals(names("\x1b"), ["<escape>"]);
  assertEquals(names("\x1b", "[A"), ["<up>"]);
  assertEquals(names("\x1b\x1b"), ["<escape>", "<escape>"]);
  assertEquals(decode("\x1bq"), [{ kind: "key", name: "escape" }, { kind: "text", text: "q" }]);
  assertEquals(decode("\x1b[1;"), []);
});

Deno.test("KeyDecoder takes the wheel, and of the buttons the left one as it is pressed", () => {
  assertEquals(decode("\x1b[<64;1;2M\x1b[<65;3;4M\x1b[<0;9;9m\x1b[<2;1;1M"), [
    { kind: "wheel", by: -1, column: 0, row: 1 },
    { kind: "wheel", by: 1, column: 2, row: 3 },
  ]);
});

Deno.test("KeyDecoder takes a paste as one, in whatever pieces it comes, and bounds it", () => {
  assertEquals(decode("\x1b[200~q\x03\n\x1b[A\x1b[20", "1~j"), [
    { kind: "paste", text: "q\x03\n\x1b[A" },
    { kind: "text", text: "j" },
  ]);
  const [paste] = decode("\x1b[200~", ..."x".repeat(20_000).match(/.{1,999}/g)!, "\x1b[201~");
  assertEquals(paste.kind === "paste" && paste.text.length, 4_096);
});

Deno.test("KeyDecoder gives the same keys for any pieces, and survives any bytes", () => {
  const pieces = fc.array(
    fc.constantFrom("j", "\x1b[A", "\x1b[200~a b\x1b[201~", "\x1b[<0;1;1M", "é", "\t", "\x1b[5~"),
  );
  fc.assert(fc.property(pieces, fc.infiniteStream(fc.integer({ min: 1, max: 4 })), (keys, cuts) => {
    const bytes = encoder.encode(keys.join(""));
    const decoder = new KeyDecoder();
    const decoded: Key[] = [];
    for (let at = 0; at < bytes.length;) {
      const end = at + cuts.next().value!;
      decoded.push(...decoder.take(bytes.subarray(at, end)));
      at = end;
    }
    assertEquals(decoded, decode(keys.join("")));
  }));
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
    const decoder = new KeyDecoder();
    for (const key of [...decoder.take(bytes), ...decoder.settle()]) {
      if (key.kind === "text") assert(!/\p{C}/u.test(key.text));
    }
  }));
});

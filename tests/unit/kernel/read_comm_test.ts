import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { readComm } from "../../../src/kernel/read_comm.ts";

function read(bytes: Uint8Array): string {
  const memory = new Uint8Array(20);
  memory.set(bytes, 3);
  return readComm(new DataView(memory.buffer), 3);
}

Deno.test("readComm reads each name as it is, however many others it has read before", () => {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const comm = fc.uint8Array({ minLength: 0, maxLength: 16 });
  fc.assert(fc.property(fc.array(comm, { minLength: 1, maxLength: 300 }), (comms) => {
    for (const bytes of [...comms, ...comms]) {
      const end = bytes.indexOf(0);
      assertEquals(read(bytes), decoder.decode(end < 0 ? bytes : bytes.subarray(0, end)));
    }
  }));
});

Deno.test("readComm tells names apart that differ in one byte", () => {
  for (let at = 0; at < 16; at++) {
    for (let value = 1; value < 128; value++) {
      const bytes = new Uint8Array(16).fill("a".charCodeAt(0));
      bytes[at] = value;
      assertEquals(read(bytes), String.fromCharCode(...bytes));
    }
  }
});

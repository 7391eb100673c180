import { assertEquals } from "@std/assert";
import { readAddress } from "../../../src/kernel/read_address.ts";

Deno.test("readAddress gives each address words of its own", () => {
  const bytes = new Uint8Array(17);
  const view = new DataView(bytes.buffer);
  const addresses = Array.from({ length: 1_000 }, (_, index) => {
    bytes.fill(index);
    view.setUint32(5, 0xfff00000 + index);
    return readAddress(view, 1);
  });
  addresses.forEach((words, index) => {
    const same = (index & 0xff) * 0x01010101;
    assertEquals([...words], [same, 0xfff00000 + index, same, same]);
  });
});

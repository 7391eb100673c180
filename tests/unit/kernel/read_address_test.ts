import { assertEquals, assertStrictEquals } from "@std/assert";
import { readAddress, readMapped } from "../../../src/kernel/read_address.ts";

const bytes = new Uint8Array(17);
const view = new DataView(bytes.buffer);

Deno.test("readAddress gives each address words that stay as they are", () => {
  // More than are kept, and some again.
  const numbers = Array.from({ length: 5_000 }, (_, index) => index % 3_000);
  const addresses = numbers.map((number) => {
    bytes.fill(number);
    view.setUint32(5, 0xfff00000 + number);
    return readAddress(view, 1);
  });
  addresses.forEach((words, index) => {
    const same = (numbers[index] & 0xff) * 0x01010101;
    assertEquals([...words], [same, 0xfff00000 + numbers[index], same, same]);
  });
});

Deno.test("readAddress tells addresses apart whose words are the same in another order", () => {
  const orders = [[1, 2, 3, 4], [4, 3, 2, 1], [1, 2, 3, 4], [2, 1, 3, 4], [0, 0, 0, 4]];
  for (const order of orders) {
    order.forEach((word, at) => view.setUint32(1 + at * 4, word));
    assertEquals([...readAddress(view, 1)], order);
  }
});

Deno.test("readMapped gives the words that readAddress gives of the mapped address", () => {
  [0, 0, 0xffff, 0xc0000201].forEach((word, at) => view.setUint32(1 + at * 4, word));
  assertStrictEquals(readMapped(view, 13), readAddress(view, 1));
});

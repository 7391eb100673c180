import { assertEquals } from "@std/assert";
import { LinkNames } from "../../../../src/linux/netns/link_names.ts";

Deno.test("LinkNames keeps the last names and forgets the oldest of too many", () => {
  const names = new LinkNames();
  names.set(7, "eth0");
  names.set(7, "lan0");
  assertEquals([names.of(7), names.of(8)], ["lan0", undefined]);
  names.set(1, "lo");
  for (let index = 100; index < 100 + 16_383; index++) names.set(index, `veth${index}`);
  assertEquals([names.of(7), names.of(1), names.of(16_482)], [undefined, "lo", "veth16482"]);
});

import { assertEquals, assertMatch } from "@std/assert";
import { PacketFile } from "../../src/io/packet_output.ts";
import { concat } from "../unit/wire/build_frame.ts";
import { makeDisk, makeFolder, NO_MOUNTS } from "./disk.ts";
import { skippableTest } from "./namespace.ts";

skippableTest(
  "PacketFile cuts back what a full disk tore, and goes on when there is room",
  NO_MOUNTS,
  () => {
    using disk = makeDisk("size=64k");
    const said: string[] = [];
    const path = `${disk.path}/out`;
    Deno.writeFileSync(`${disk.path}/ballast`, new Uint8Array(40_000));
    using file = new PacketFile(path, (sentence) => said.push(sentence));
    const blocks = new Uint8Array(10_000).fill(7);
    assertEquals([1, 2, 3, 4].map(() => file.append(blocks)), [true, true, false, false]);
    assertEquals(Deno.statSync(path).size, 20_000);
    Deno.removeSync(`${disk.path}/ballast`);
    assertEquals([file.append(blocks), file.sync()], [true, true]);
    assertEquals(Deno.readFileSync(path), concat(blocks, blocks, blocks));
    assertMatch(said[0], /^Cannot write ".*\/out": No space left on device .*; packets are lost$/);
    assertEquals(said.slice(1), [`Writing "${path}" again`]);
  },
);

Deno.test("PacketFile writes to a device, which cannot be synced and need not", () => {
  const said: string[] = [];
  using file = new PacketFile("/dev/null", (sentence) => said.push(sentence));
  assertEquals([file.append(new Uint8Array(9)), file.sync(), said], [true, true, []]);
});

Deno.test("PacketFile appends to an empty file", () => {
  using folder = makeFolder();
  const path = `${folder.path}/out`;
  Deno.writeFileSync(path, new Uint8Array(0));
  using file = new PacketFile(path, () => {});
  file.append(new Uint8Array([1]));
  assertEquals(Deno.readFileSync(path), new Uint8Array([1]));
});

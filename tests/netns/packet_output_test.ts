import { assertEquals, assertMatch } from "@std/assert";
import { openForWriting } from "../../src/files/open_file.ts";
import { PacketFile } from "../../src/files/packet_output.ts";
import { PcapngBuilder } from "../unit/pcap/build_capture.ts";
import { readCapture } from "../unit/pcap/read_capture.ts";
import { concat } from "../unit/wire/build_frame.ts";
import { makeDisk, NO_MOUNTS } from "./disk.ts";
import { Folder } from "../folder.ts";
import { skippableTest } from "./namespace.ts";

skippableTest(
  "PacketFile cuts back what a full disk tore, and goes on when there is room",
  NO_MOUNTS,
  () => {
    using disk = makeDisk("size=64k");
    const said: string[] = [];
    const path = `${disk.path}/out`;
    Deno.writeFileSync(`${disk.path}/ballast`, new Uint8Array(40_000));
    using file = new PacketFile(openForWriting(path), (sentence) => said.push(sentence));
    const blocks = new Uint8Array(10_000).fill(7);
    assertEquals([1, 2, 3, 4].map(() => file.append(blocks, 3)), [true, true, false, false]);
    assertEquals(Deno.statSync(path).size, 20_000);
    Deno.removeSync(`${disk.path}/ballast`);
    assertEquals([file.append(blocks, 3), file.sync()], [true, true]);
    assertEquals(Deno.readFileSync(path), concat(blocks, blocks, blocks));
    assertMatch(said[0], /^Cannot write ".*\/out": No space left on device .*; packets are lost$/);
    assertEquals(said.slice(1), [`Writing "${path}" again; 6 packets were lost`]);
  },
);

Deno.test("PacketFile appends to an empty file", () => {
  using folder = new Folder();
  const path = `${folder.path}/out`;
  Deno.writeFileSync(path, new Uint8Array(0));
  using file = new PacketFile(openForWriting(path), () => {});
  file.append(new Uint8Array([1]), 1);
  assertEquals(Deno.readFileSync(path), new Uint8Array([1]));
});

const build = new PcapngBuilder();
const join = (...parts: Uint8Array[]) => new Uint8Array(concat(...parts));
const SECTION = join(build.section(), build.interface({ resolution: 9 }));
const packet = (number: number) =>
  join(build.packet({ interfaceNumber: 0, ticks: BigInt(number), data: new Uint8Array(9) }));
const ticksIn = (path: string) => {
  const { packets, fault } = readCapture(Deno.readFileSync(path));
  return [packets.map(({ unixNs }) => Number(unixNs)), fault];
};

Deno.test("PacketFile begins anew under its path when the file was renamed", () => {
  using folder = new Folder();
  const path = `${folder.path}/out`;
  const said: string[] = [];
  using file = new PacketFile(openForWriting(path), (sentence) => said.push(sentence));
  file.append(join(SECTION, packet(1)), 1);
  file.reopen();
  assertEquals(file.isStale, false);
  Deno.renameSync(path, `${path}.old`);
  file.reopen();
  assertEquals(file.isStale, true);
  // Gathered before: it needs the interfaces of the old file.
  file.append(packet(2), 1);
  assertEquals([file.renew(), file.isStale], [true, false]);
  file.append(join(SECTION, packet(3)), 1);
  assertEquals([`${path}.old`, path].map(ticksIn), [[[1, 2], undefined], [[3], undefined]]);
  assertEquals([file.lost, said], [0, [`"${path}" was renamed or replaced: it is begun anew`]]);
});

Deno.test("PacketFile counts the packets that went with a file that was removed", () => {
  using folder = new Folder();
  const path = `${folder.path}/out`;
  const said: string[] = [];
  using file = new PacketFile(openForWriting(path), (sentence) => said.push(sentence));
  file.append(join(SECTION, packet(1)), 1);
  file.reopen();
  Deno.removeSync(path);
  file.append(join(packet(2), packet(3)), 2);
  file.reopen();
  file.renew();
  file.append(join(SECTION, packet(4)), 1);
  assertEquals([ticksIn(path), file.lost], [[[4], undefined], 2]);
  assertEquals(said, [
    `"${path}" was removed: it is begun anew; up to 2 packets are gone with it`,
  ]);
});

Deno.test("PacketFile begins an emptied file anew, for nothing is read without its start", () => {
  using folder = new Folder();
  const path = `${folder.path}/out`;
  using file = new PacketFile(openForWriting(path), () => {});
  file.append(join(SECTION, packet(1)), 1);
  file.reopen();
  Deno.truncateSync(path);
  file.append(packet(2), 1);
  file.reopen();
  assertEquals([file.isStale, file.renew()], [true, true]);
  file.append(join(SECTION, packet(3)), 1);
  assertEquals([ticksIn(path), file.lost], [[[3], undefined], 1]);
});

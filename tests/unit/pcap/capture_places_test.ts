import { assertEquals } from "@std/assert";
import { CaptureAxis } from "../../../src/pcap/capture_axis.ts";
import { CapturePlaces } from "../../../src/pcap/capture_places.ts";
import { CaptureReader } from "../../../src/pcap/capture_reader.ts";
import { HANDSHAKE_FILTER } from "../../../src/pcap/pcapng_option.ts";
import { buildSll2, concat } from "../wire/build_frame.ts";
import { buildPcap, PcapMagic, PcapngBuilder } from "./build_capture.ts";

const build = new PcapngBuilder();

/** The places of the packets of files that are read one after another. */
function placesOf(places: CapturePlaces, ...files: Uint8Array[]): number[] {
  const found: number[] = [];
  for (const file of files) {
    const reader = new CaptureReader(new CaptureAxis(), (packet) => found.push(places.of(packet)));
    reader.feed(file);
  }
  return found;
}

function capture(names: readonly (string | undefined)[], packets: readonly number[]): Uint8Array {
  return concat(
    build.section(),
    ...names.map((name) => build.interface({ name })),
    ...packets.map((interfaceNumber) => build.packet({ interfaceNumber })),
  );
}

Deno.test("CapturePlaces tells interfaces apart, the same in several files by name", () => {
  const places = new CapturePlaces();
  const found = placesOf(
    places,
    capture(["eth0", "eth1"], [0, 1, 0]),
    capture(["eth1", "eth0", "eth2"], [0, 1, 2]),
  );
  assertEquals(found, [1, 2, 1, 2, 1, 3]);
  assertEquals([0, 1, 2, 3, 4].map((place) => places.nameOf(place)), [
    undefined,
    "eth0",
    "eth1",
    "eth2",
    undefined,
  ]);
});

Deno.test("CapturePlaces tells nameless interfaces apart by their position", () => {
  const places = new CapturePlaces();
  assertEquals(
    placesOf(places, capture([undefined, undefined], [0, 1]), buildPcap({ records: [{}] })),
    [1, 2, 1],
  );
  assertEquals(places.nameOf(1), undefined);
});

Deno.test("CapturePlaces tells apart where a trace's filter hid data and where none did", () => {
  const places = new CapturePlaces();
  const files = [HANDSHAKE_FILTER, undefined, "\0tcp", HANDSHAKE_FILTER].map((filter) =>
    concat(build.section(), build.interface({ name: "eth0", filter }), build.packet({}))
  );
  assertEquals(placesOf(places, ...files), [1, 2, 2, 1]);
  assertEquals([0, 1, 2].map((place) => places.hidesData(place)), [false, true, false]);
  assertEquals([1, 2].map((place) => places.nameOf(place)), ["eth0", "eth0"]);
});

Deno.test("CapturePlaces tells packets of an any capture apart by the index in their header", () => {
  const frame = (index: number) => {
    const bytes = buildSll2();
    bytes[7] = index;
    return bytes;
  };
  const records = [{ data: frame(2) }, { data: frame(3) }, { data: frame(2) }, {
    data: new Uint8Array(5),
  }];
  assertEquals(placesOf(new CapturePlaces(), buildPcap({ linkType: 276, records })), [1, 2, 1, 3]);
  const modified = buildPcap({
    magic: PcapMagic.MODIFIED,
    records: [{ interfaceIndex: 4 }, { interfaceIndex: 5 }, { interfaceIndex: 4 }],
  });
  assertEquals(placesOf(new CapturePlaces(), modified), [1, 2, 1]);
});

Deno.test("CapturePlaces tells what leaves the loopback from what arrives there, and nowhere else", () => {
  const file = (name: string) =>
    concat(
      build.section(),
      build.interface({ name }),
      build.packet({ options: [build.flags(2)] }),
      build.packet({ options: [build.flags(1)] }),
      build.packet({ options: [build.flags(2)] }),
    );
  const cases = [
    { name: "lo", expected: [1, 2, 1] },
    { name: "lo0", expected: [1, 2, 1] },
    { name: "eth0", expected: [1, 1, 1] },
    { name: "long", expected: [1, 1, 1] },
  ];
  for (const { name, expected } of cases) {
    assertEquals(placesOf(new CapturePlaces(), file(name)), expected, name);
  }
});

Deno.test("CapturePlaces numbers 4096 places and counts packets of more", () => {
  const places = new CapturePlaces();
  const records = Array.from({ length: 4_100 }, (_, interfaceIndex) => ({ interfaceIndex }));
  const found = placesOf(places, buildPcap({ magic: PcapMagic.MODIFIED, records }));
  assertEquals([found[0], found[4_095], found[4_096], found[4_099]], [1, 4_096, 0, 0]);
  assertEquals(places.overflows, 4);
});

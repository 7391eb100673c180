import { assertEquals, assertStringIncludes } from "@std/assert";
import { explainOption, nameOption, wholeOptions } from "../../../src/explain/option_words.ts";
import { listTcpOptions, type TcpOption } from "../../../src/wire/tcp_options.ts";
import { buildTcp, concat, linuxSynOptions, tcpOption, u32 } from "../wire/build_frame.ts";

function optionOf(...bytes: number[]): TcpOption {
  return listTcpOptions(new Uint8Array(bytes))[0];
}

const CASES: { bytes: number[]; short: string | undefined; long: string }[] = [
  { bytes: [0], short: undefined, long: "End" },
  { bytes: [1], short: undefined, long: "No-operation" },
  { bytes: [2, 4, 5, 0xb4], short: "MSS 1460", long: "1460 bytes" },
  { bytes: [3, 3, 7], short: "window scale 7", long: "128 bytes" },
  {
    bytes: [3, 3, 255],
    short: "window scale 255",
    long: "shift 255 (14 is used), so later windows count 16384",
  },
  { bytes: [4, 2], short: "SACK permitted", long: "SACK permitted" },
  { bytes: [8, 10, 0, 0, 0, 9, 0, 0, 0, 0], short: "TSval 9", long: "TSval 9, TSecr 0" },
  { bytes: [8, 10, 0, 0, 0, 9, 0, 0, 0, 5], short: "TSval 9, TSecr 5", long: "TSval 9, TSecr 5" },
  { bytes: [30, 12, 0x10, ...Array(9).fill(0)], short: "MPTCP", long: "subtype 1" },
  { bytes: [30, 4, 0x10, 0], short: "a damaged option (kind 30)", long: "Damaged: mptcp" },
  { bytes: [34, 2], short: "Fast Open cookie request", long: "cookie request" },
  { bytes: [34, 6, 1, 2, 3, 4], short: "Fast Open cookie of 4 bytes", long: "cookie of 4 bytes" },
  { bytes: [254, 4, 0xf9, 0x89], short: "Fast Open cookie request", long: "experimental" },
  { bytes: [28, 4, 1, 2], short: "user timeout", long: "user timeout, 2 bytes" },
  { bytes: [99, 3, 1], short: "option 99", long: "option 99, 1 byte" },
  { bytes: [2, 3, 1], short: "a damaged option (kind 2)", long: "Damaged: mss" },
  { bytes: [3, 9, 1], short: "a damaged option (kind 3)", long: "Damaged: window scale" },
];

for (const { bytes, short, long } of CASES) {
  Deno.test(`nameOption and explainOption say what ${bytes} is`, () => {
    assertEquals(nameOption(optionOf(...bytes)), short);
    assertStringIncludes(explainOption(optionOf(...bytes)), long);
  });
}

Deno.test("wholeOptions leaves out an option that the capture cut, and says so", () => {
  const header = buildTcp({ options: linuxSynOptions() });
  assertEquals(wholeOptions(header).isCut, false);
  assertEquals(wholeOptions(header).options.map(({ name }) => name), [
    "mss",
    "sack_permitted",
    "timestamps",
    "no_operation",
    "window_scale",
  ]);
  const cut = wholeOptions(header.subarray(0, 30));
  assertEquals([cut.isCut, cut.options.map(({ name }) => name)], [true, ["mss", "sack_permitted"]]);
});

Deno.test("wholeOptions keeps an option that is damaged in a header captured whole", () => {
  const header = buildTcp({ options: concat(tcpOption(4), u32(0x03_09_00_00)) });
  assertEquals(wholeOptions(header).options.map(({ malformed }) => malformed), [false, true]);
});

import { concat } from "./build_frame.ts";
import { bytes } from "./build_wrapping.ts";
import { inUdp, IPV6, testWrappings } from "./test_wrappings.ts";

testWrappings("teredo", [
  {
    name: "AYIYA that forwards nothing",
    frame: inUdp(5072, concat(bytes(0x44, 0x52, 0x10, 41), new Uint8Array(40), IPV6)),
    expected: "not_tcp",
  },
]);

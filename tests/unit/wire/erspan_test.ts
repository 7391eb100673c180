import { buildEthernet, concat } from "./build_frame.ts";
import { bytes, gre } from "./build_wrapping.ts";
import { IPV4, overIp, testWrappings } from "./test_wrappings.ts";

testWrappings("erspan", [
  {
    name: "another ERSPAN II",
    frame: overIp(47, gre(0x1000, 0x88be, 1, concat(new Uint8Array(8), buildEthernet()))),
    expected: "not_ip",
  },
  {
    name: "another ERSPAN III",
    frame: overIp(47, gre(0x1000, 0x22eb, 1, concat(new Uint8Array(12), buildEthernet()))),
    expected: "not_ip",
  },
  {
    name: "ERSPAN III with another frame",
    frame: overIp(
      47,
      gre(0x1000, 0x22eb, 1, concat(bytes(0x20), new Uint8Array(9), bytes(4, 0), IPV4)),
    ),
    expected: "not_ip",
  },
]);

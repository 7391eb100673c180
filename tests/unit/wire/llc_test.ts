import { concat } from "./build_frame.ts";
import { bytes, ethernet8023, snap } from "./build_wrapping.ts";
import { inEthernet, IPV4, testWrappings } from "./test_wrappings.ts";

testWrappings("llc", [
  {
    name: "an 802.3 frame shorter than LLC",
    frame: inEthernet(2, snap(IPV4)),
    expected: "not_ip",
  },
  {
    name: "spanning tree",
    frame: ethernet8023(concat(bytes(0x42, 0x42, 3), new Uint8Array(35))),
    expected: "not_ip",
  },
  {
    name: "another organization's SNAP",
    frame: ethernet8023(concat(bytes(0xaa, 0xaa, 3, 0, 0, 0x0c, 0x20, 0), IPV4)),
    expected: "not_ip",
  },
]);

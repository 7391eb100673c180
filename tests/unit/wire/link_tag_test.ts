import { concat } from "./build_frame.ts";
import { bytes } from "./build_wrapping.ts";
import { inEthernet, IPV4, testWrappings } from "./test_wrappings.ts";

testWrappings("link_tag", [
  {
    name: "Cisco MetaData with too many options",
    frame: inEthernet(0x8909, concat(bytes(1, 9), new Uint8Array(38), IPV4)),
    expected: "bad_header_length",
  },
]);

import { concat } from "./build_frame.ts";
import { bytes, labels } from "./build_wrapping.ts";
import { inEthernet, IPV4, testWrappings } from "./test_wrappings.ts";

testWrappings("mpls", [
  {
    name: "nine labels",
    frame: inEthernet(0x8847, labels(9, IPV4)),
    expected: "too_many_labels",
  },
  {
    name: "labels without an end",
    frame: inEthernet(0x8847, labels(5, bytes(), true)),
    expected: "truncated_tag",
  },
  {
    name: "the associated channel of a pseudowire",
    frame: inEthernet(0x8847, labels(1, concat(bytes(0x10, 0, 0, 7), IPV4))),
    expected: "not_ip",
  },
]);

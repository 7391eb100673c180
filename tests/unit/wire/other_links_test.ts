import { LinkType } from "../../../src/wire/frame.ts";
import { buildEthernet, concat } from "./build_frame.ts";
import { bytes } from "./build_wrapping.ts";
import { IPV4, testWrappings } from "./test_wrappings.ts";

testWrappings("other_links", [
  {
    name: "FDDI that manages the ring",
    linkType: LinkType.FDDI,
    frame: concat(bytes(0x41), new Uint8Array(60)),
    expected: "not_ip",
  },
  {
    name: "a later part of an ARCnet packet",
    linkType: LinkType.ARCNET,
    frame: concat(bytes(1, 2, 212, 2, 0, 1), IPV4),
    expected: "not_ip",
  },
  {
    name: "pflog shorter than its header",
    linkType: LinkType.PFLOG,
    frame: concat(bytes(40, 2), new Uint8Array(70)),
    expected: "bad_header_length",
  },
  {
    name: "another family of pflog",
    linkType: LinkType.PFLOG,
    frame: concat(bytes(61, 7), new Uint8Array(62), IPV4),
    expected: "not_ip",
  },
  {
    name: "a packet tap shorter than its header",
    linkType: LinkType.PKTAP,
    frame: concat(bytes(8, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0), new Uint8Array(99)),
    expected: "bad_header_length",
  },
  {
    name: "another record of a packet tap",
    linkType: LinkType.PKTAP,
    frame: concat(bytes(12, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0), buildEthernet()),
    expected: "not_ip",
  },
]);

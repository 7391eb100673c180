import { LinkType } from "../../../src/wire/frame.ts";
import { concat, u32 } from "./build_frame.ts";
import { bytes, radiotap, snap, wireless } from "./build_wrapping.ts";
import { IPV4, testWrappings } from "./test_wrappings.ts";

testWrappings("radio_header", [
  {
    name: "radiotap shorter than its header",
    linkType: LinkType.RADIOTAP,
    frame: bytes(0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0),
    expected: "bad_header_length",
  },
  {
    name: "radiotap whose words do not end",
    linkType: LinkType.RADIOTAP,
    frame: radiotap([0x8000_0000, 0x8000_0000], bytes(), wireless(snap(IPV4))),
    expected: "bad_header_length",
  },
  {
    name: "radiotap without the flags that it announces",
    linkType: LinkType.RADIOTAP,
    frame: radiotap([2], bytes(), wireless(snap(IPV4))),
    expected: "bad_header_length",
  },
  {
    name: "a frame received with a wrong checksum",
    linkType: LinkType.RADIOTAP,
    frame: radiotap([2], bytes(0x40), wireless(snap(IPV4))),
    expected: "damaged",
  },
  {
    name: "PPI shorter than its header",
    linkType: LinkType.PPI,
    frame: bytes(0, 0, 4, 0, 105, 0, 0, 0),
    expected: "bad_header_length",
  },
  {
    name: "PPI in PPI in PPI",
    linkType: LinkType.PPI,
    frame: concat(...Array(4).fill(bytes(0, 0, 8, 0, 192, 0, 0, 0))),
    expected: "too_many_tunnels",
  },
  {
    name: "another Prism",
    linkType: LinkType.PRISM,
    frame: new Uint8Array(200),
    expected: "not_ip",
  },
  {
    name: "AVS shorter than its header",
    linkType: LinkType.AVS,
    frame: concat(u32(0x80211001, 4), new Uint8Array(80)),
    expected: "bad_header_length",
  },
]);

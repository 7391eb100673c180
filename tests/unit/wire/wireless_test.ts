import { LinkType } from "../../../src/wire/frame.ts";
import { snap, wireless } from "./build_wrapping.ts";
import { IPV4, testWrappings } from "./test_wrappings.ts";

testWrappings("wireless", [
  {
    name: "an encrypted frame",
    linkType: LinkType.IEEE802_11,
    frame: wireless(snap(IPV4), { flags: 0x41 }),
    expected: "encrypted",
  },
  {
    name: "a frame without a body",
    linkType: LinkType.IEEE802_11,
    frame: wireless(snap(IPV4), { subtype: 4 }),
    expected: "not_ip",
  },
  {
    name: "a beacon",
    linkType: LinkType.IEEE802_11,
    frame: wireless(snap(IPV4)).with(0, 0x80),
    expected: "not_ip",
  },
  {
    name: "a fragment of 802.11",
    linkType: LinkType.IEEE802_11,
    frame: wireless(snap(IPV4), { sequenceControl: 1 }),
    expected: "not_ip",
  },
]);

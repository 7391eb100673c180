import { concat, u16, u32 } from "./build_frame.ts";
import { bytes } from "./build_wrapping.ts";
import { inUdp, IPV4, testWrappings } from "./test_wrappings.ts";

testWrappings("gtp_u", [
  {
    name: "GTP-U that is no user's packet",
    frame: inUdp(2152, concat(bytes(0x30, 1), u16(0), u32(0), IPV4)),
    expected: "not_tcp",
  },
  {
    name: "GTP'",
    frame: inUdp(3386, concat(bytes(0x0e, 0xff), new Uint8Array(18), IPV4)),
    expected: "not_tcp",
  },
  {
    name: "another GTP",
    frame: inUdp(2152, concat(bytes(0x50, 0xff), u16(0), u32(0), IPV4)),
    expected: "not_tcp",
  },
  {
    name: "GTP-U with an extension of no length",
    frame: inUdp(2152, concat(bytes(0x34, 0xff), u16(0), u32(7), bytes(0, 0, 0, 5, 0), IPV4)),
    expected: "bad_header_length",
  },
  {
    name: "GTP-U with nine extensions",
    frame: inUdp(
      2152,
      concat(
        bytes(0x34, 0xff),
        u16(0),
        u32(7),
        bytes(0, 0, 0, 5),
        ...Array(9).fill(bytes(1, 0, 0, 5)),
        IPV4,
      ),
    ),
    expected: "too_many_tunnels",
  },
]);

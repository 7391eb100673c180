import { concat } from "./build_frame.ts";
import { bytes } from "./build_wrapping.ts";
import { inUdp, testWrappings } from "./test_wrappings.ts";

testWrappings("capwap", [
  {
    name: "CAPWAP in DTLS",
    frame: inUdp(5247, concat(bytes(1), new Uint8Array(40))),
    expected: "encrypted",
  },
  {
    name: "another CAPWAP",
    frame: inUdp(5247, concat(bytes(0x10), new Uint8Array(40))),
    expected: "not_tcp",
  },
  {
    name: "CAPWAP shorter than its header",
    frame: inUdp(5247, concat(bytes(0, 1 << 3), new Uint8Array(40))),
    expected: "bad_header_length",
  },
  {
    name: "a part of a CAPWAP packet",
    frame: inUdp(5247, concat(bytes(0, 2 << 3, 2, 0x80), new Uint8Array(40))),
    expected: "not_tcp",
  },
]);

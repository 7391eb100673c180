import { buildEthernet, concat, u16, u32 } from "./build_frame.ts";
import { inUdp, IPV4, testWrappings } from "./test_wrappings.ts";

testWrappings("l2tp", [
  {
    name: "L2TP control",
    frame: inUdp(1701, concat(u16(0xc802, 12, 7, 0), new Uint8Array(30))),
    expected: "not_tcp",
  },
  {
    name: "another L2TP",
    frame: inUdp(1701, concat(u16(0x0001, 7, 8, 0x21), IPV4)),
    expected: "not_tcp",
  },
  {
    name: "L2TP whose offset goes beyond",
    frame: inUdp(1701, concat(u16(0x0202, 7, 8, 0xffff, 0x21), IPV4)),
    expected: "truncated_tunnel",
  },
  {
    name: "a session of L2TP version 3 that holds no frame",
    frame: inUdp(1701, concat(u32(0x3_0000), u32(9), IPV4)),
    expected: "not_ip",
  },
  {
    name: "a control message of L2TP version 3",
    frame: inUdp(1701, concat(u32(0x3_0000), u32(0), buildEthernet())),
    expected: "not_tcp",
  },
]);

import { testWrappings } from "./test_wrappings.ts";

testWrappings("udp_tunnel", []);

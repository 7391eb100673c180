import { testWrappings } from "./test_wrappings.ts";

testWrappings("gre", []);

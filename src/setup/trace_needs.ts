import { everywhere, type Need } from "./packages.ts";

/** What a trace needs for the kernel's side of a handshake. */
export const TRACE_NEEDS: readonly Need[] = [
  { executables: ["bpftrace"], package: everywhere("bpftrace") },
];

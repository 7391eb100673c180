import { assertEquals } from "@std/assert";
import { TcpState } from "../../../src/kernel/tcp_state.ts";

// enum in include/net/tcp_states.h, in its order from 1 on.
const KERNEL_STATES = [
  "TCP_ESTABLISHED",
  "TCP_SYN_SENT",
  "TCP_SYN_RECV",
  "TCP_FIN_WAIT1",
  "TCP_FIN_WAIT2",
  "TCP_TIME_WAIT",
  "TCP_CLOSE",
  "TCP_CLOSE_WAIT",
  "TCP_LAST_ACK",
  "TCP_LISTEN",
  "TCP_CLOSING",
  "TCP_NEW_SYN_RECV",
];

Deno.test("TcpState numbers the states as the kernel's enum does", () => {
  const named = Object.fromEntries(
    Object.entries(TcpState).map(([name, number]) => [name, KERNEL_STATES[number - 1]]),
  );
  assertEquals(named, {
    Established: "TCP_ESTABLISHED",
    SynSent: "TCP_SYN_SENT",
    SynReceived: "TCP_SYN_RECV",
    Close: "TCP_CLOSE",
    Listen: "TCP_LISTEN",
  });
});

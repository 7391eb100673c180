/**
 * TCP states as the kernel numbers them (include/net/tcp_states.h).
 * They are also what `sock:inet_sock_set_state` reports.
 */
export const TcpState = {
  Established: 1,
  SynSent: 2,
  SynReceived: 3,
  Close: 7,
  Listen: 10,
} as const;

/**
 * The errno values a handshake can end with, by number
 * (include/uapi/asm-generic/errno.h; the same on x86_64, aarch64, riscv64 and s390x).
 */
const ERRNO_NAMES: ReadonlyMap<number, string> = new Map([
  [1, "EPERM"],
  [12, "ENOMEM"],
  [13, "EACCES"],
  [32, "EPIPE"],
  [71, "EPROTO"],
  [92, "ENOPROTOOPT"],
  [95, "EOPNOTSUPP"],
  [99, "EADDRNOTAVAIL"],
  [100, "ENETDOWN"],
  [101, "ENETUNREACH"],
  [103, "ECONNABORTED"],
  [104, "ECONNRESET"],
  [105, "ENOBUFS"],
  [110, "ETIMEDOUT"],
  [111, "ECONNREFUSED"],
  [112, "EHOSTDOWN"],
  [113, "EHOSTUNREACH"],
]);

/**
 * Names an errno by its symbol.
 *
 * @param errno The number the kernel left in `sk_err`, 0 for none.
 * @returns The symbol, `"ERRNO_<number>"` for one not in the table, undefined for 0.
 */
export function errnoName(errno: number): string | undefined {
  if (errno === 0) return undefined;
  return ERRNO_NAMES.get(errno) ?? `ERRNO_${errno}`;
}

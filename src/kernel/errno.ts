/**
 * The errno values that a handshake or a system call of ours can end with, by number
 * (include/uapi/asm-generic/errno.h; the same on x86_64, aarch64, riscv64 and s390x).
 */
const ERRNO_NAMES: ReadonlyMap<number, string> = new Map([
  [1, "EPERM"],
  [2, "ENOENT"],
  [3, "ESRCH"],
  [4, "EINTR"],
  [5, "EIO"],
  [6, "ENXIO"],
  [7, "E2BIG"],
  [9, "EBADF"],
  [11, "EAGAIN"],
  [12, "ENOMEM"],
  [13, "EACCES"],
  [14, "EFAULT"],
  [16, "EBUSY"],
  [17, "EEXIST"],
  [19, "ENODEV"],
  [22, "EINVAL"],
  [23, "ENFILE"],
  [24, "EMFILE"],
  [28, "ENOSPC"],
  [32, "EPIPE"],
  [38, "ENOSYS"],
  [71, "EPROTO"],
  [92, "ENOPROTOOPT"],
  [93, "EPROTONOSUPPORT"],
  [95, "EOPNOTSUPP"],
  [97, "EAFNOSUPPORT"],
  [98, "EADDRINUSE"],
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
  [524, "ENOTSUPP"],
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

/**
 * The errno values that a handshake or a system call of ours can end with, by number
 * (include/uapi/asm-generic/errno.h; the same on x86_64, aarch64, riscv64 and s390x).
 */
export const Errno = {
  EPERM: 1,
  ENOENT: 2,
  ESRCH: 3,
  EINTR: 4,
  EIO: 5,
  ENXIO: 6,
  E2BIG: 7,
  EBADF: 9,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EFAULT: 14,
  EBUSY: 16,
  EEXIST: 17,
  ENODEV: 19,
  EINVAL: 22,
  ENFILE: 23,
  EMFILE: 24,
  ENOSPC: 28,
  EPIPE: 32,
  ENOSYS: 38,
  EPROTO: 71,
  ENOPROTOOPT: 92,
  EPROTONOSUPPORT: 93,
  EOPNOTSUPP: 95,
  EAFNOSUPPORT: 97,
  EADDRINUSE: 98,
  EADDRNOTAVAIL: 99,
  ENETDOWN: 100,
  ENETUNREACH: 101,
  ECONNABORTED: 103,
  ECONNRESET: 104,
  ENOBUFS: 105,
  ETIMEDOUT: 110,
  ECONNREFUSED: 111,
  EHOSTDOWN: 112,
  EHOSTUNREACH: 113,
  ENOTSUPP: 524,
} as const;

const ERRNO_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(Errno).map(([name, errno]) => [errno, name]),
);

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

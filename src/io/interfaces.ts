/**
 * Names and indices of network interfaces, as the network namespace of this thread has them.
 *
 * @module
 */
import { checkResult, cString, libc, memory } from "./libc.ts";

/** IF_NAMESIZE: an interface name with its terminating zero (linux/if.h). */
const IF_NAMESIZE = 16;
/** `struct if_nameindex { unsigned if_index; char *if_name; }` (net/if.h), 64-bit layout. */
const NAMEINDEX_SIZE = 16;
const NAMEINDEX_NAME = 8;

/** Names kept by {@linkcode interfaceName}; more are forgotten, not refused. */
const CACHED_NAMES = 1024;
const names = new Map<number, string>();
const nameBuffer = memory(IF_NAMESIZE);

/** The index of the interface called `name`; `undefined` when there is none. */
export function interfaceIndex(name: string): number | undefined {
  // A longer name cannot exist, and the C library would cut it off and find another interface.
  if (name.length === 0 || name.length >= IF_NAMESIZE) return undefined;
  const index = libc().if_nametoindex(cString(name));
  return index === 0 ? undefined : index;
}

/**
 * The name of the interface with this index; `undefined` when there is none. Names are kept, up to a
 * bound: the kernel counts indices up, so one is not soon another interface's.
 */
export function interfaceName(index: number): string | undefined {
  const known = names.get(index);
  if (known !== undefined) return known;
  if (index <= 0 || libc().if_indextoname(index, nameBuffer) === null) return undefined;
  const name = new TextDecoder().decode(nameBuffer.subarray(0, nameBuffer.indexOf(0)));
  if (names.size >= CACHED_NAMES) names.clear();
  names.set(index, name);
  return name;
}

/** One network interface. */
export interface NetworkInterface {
  /** The kernel's index, as in `sockaddr_ll.sll_ifindex`. */
  index: number;
  /** The name, for example `eth0`. */
  name: string;
}

/**
 * Every interface, addresses or not, up or down. `Deno.networkInterfaces` lists only those with an
 * address, and /sys shows the namespace it was mounted in, which need not be this one.
 *
 * @throws {SystemCallError} when the kernel refuses the list.
 */
export function listInterfaces(): NetworkInterface[] {
  const list = libc().if_nameindex();
  if (list === null) {
    checkResult(-1, "if_nameindex()");
    return [];
  }
  const view = new Deno.UnsafePointerView(list);
  const interfaces: NetworkInterface[] = [];
  for (let at = 0;; at += NAMEINDEX_SIZE) {
    const name = view.getPointer(at + NAMEINDEX_NAME);
    if (name === null) break;
    interfaces.push({
      index: view.getUint32(at),
      name: new Deno.UnsafePointerView(name).getCString(),
    });
  }
  libc().if_freenameindex(list);
  return interfaces;
}

/** The text of every address of this host (`192.0.2.1`, `2001:db8::1`), loopback included. */
export function localAddresses(): Set<string> {
  return new Set(Deno.networkInterfaces().map((entry) => entry.address));
}

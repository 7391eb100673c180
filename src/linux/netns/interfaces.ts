/**
 * Names and indices of network interfaces, as the network namespace of this thread has them.
 *
 * @module
 */
import { NO_UTF8 } from "../environment.ts";
import { checkResult, cString, libc, memory } from "../libc.ts";
import { nameText } from "../system_names.ts";

/** IF_NAMESIZE: an interface name with its terminating zero (linux/if.h). */
const IF_NAMESIZE = 16;
/** `struct if_nameindex { unsigned if_index; char *if_name; }` (net/if.h), 64-bit layout. */
const NAMEINDEX_SIZE = 16;
const NAMEINDEX_NAME = 8;

/** `struct ifreq` (net/if.h): the name, then a union that begins with the index. */
const IFREQ_SIZE = 40;
const IFREQ_INDEX = 16;
/** linux/sockios.h */
const SIOCGIFNAME = 0x8910n;

/** The index of the interface called `name`; `undefined` when there is none. */
export function interfaceIndex(name: string): number | undefined {
  // So it is listed, and so it comes from a command line: the bytes themselves are not known here.
  if (name.includes(NO_UTF8)) return listInterfaces().find((each) => each.name === name)?.index;
  const bytes = cString(name);
  // A longer name cannot exist, and the C library would cut it off and find another interface.
  if (name === "" || bytes.length > IF_NAMESIZE) return undefined;
  const index = libc().if_nametoindex(bytes);
  return index === 0 ? undefined : index;
}

/**
 * The name of the interface with this index in the network namespace of a socket, whichever this
 * thread is in; `undefined` when there is none.
 *
 * @param socket File descriptor of a socket of any kind.
 */
export function interfaceName(socket: number, index: number): string | undefined {
  const request = memory(IFREQ_SIZE);
  new DataView(request.buffer).setInt32(IFREQ_INDEX, index, true);
  if (libc().ioctl(socket, SIOCGIFNAME, request) < 0) return undefined;
  return nameText(request.subarray(0, request.indexOf(0)));
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

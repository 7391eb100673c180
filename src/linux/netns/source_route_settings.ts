/**
 * Whether this host takes packets with an IPv4 source route, interface by interface
 * (`accept_source_route` of Documentation/networking/ip-sysctl.rst).
 *
 * @module
 */
import { SystemCallError } from "../libc.ts";
import type { NetworkNamespace } from "./network_namespace.ts";

const FOLDER = "/proc/sys/net/ipv4/conf/";
/** How long a setting that was changed may go unnoticed; and how many are kept. */
const REFRESH_MS = 5_000;
const SETTINGS_MAX = 256;

/** Remembers the settings of the interfaces that such packets came in on. */
export class SourceRouteSettings {
  readonly #known = new Map<string, { accepts: boolean; readMs: number }>();

  /**
   * Whether an interface takes them: both its own setting and that of all interfaces must say so. Where
   * the settings cannot be read, it is taken to.
   *
   * @param interfaceName Its name in the namespace; undefined where it is gone.
   */
  accepts(namespace: NetworkNamespace, interfaceName: string | undefined): boolean {
    // No name of an interface holds a slash.
    if (interfaceName === undefined || interfaceName.includes("/")) return true;
    const key = `${namespace.inode} ${interfaceName}`;
    const nowMs = performance.now();
    const known = this.#known.get(key);
    if (known !== undefined && nowMs - known.readMs < REFRESH_MS) return known.accepts;
    const accepts = read(namespace, interfaceName);
    if (this.#known.size >= SETTINGS_MAX) this.#known.clear();
    this.#known.set(key, { accepts, readMs: nowMs });
    return accepts;
  }
}

function read(namespace: NetworkNamespace, interfaceName: string): boolean {
  try {
    return namespace.run(() =>
      ["all", interfaceName].every((name) =>
        Deno.readTextFileSync(`${FOLDER}${name}/accept_source_route`).trim() !== "0"
      )
    );
  } catch (error) {
    if (error instanceof SystemCallError || error instanceof Deno.errors.NotFound) return true;
    if (error instanceof Deno.errors.PermissionDenied) return true;
    throw error;
  }
}

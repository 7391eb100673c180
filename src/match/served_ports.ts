/**
 * On which ports somebody of this host listens, and since when its kernel tells of every handshake
 * there: of such a handshake the kernel's word decides (`HostContext.hasServer`).
 *
 * A port on which nobody listens any more stays known: then no SYN-ACK comes from it either.
 */
export class ServedPorts {
  readonly #isServed = new Uint8Array(65_536);
  #toldFromNs = Infinity;

  /** Marks a port on which somebody listens. */
  add(port: number): void {
    this.#isServed[port] = 1;
  }

  /** Has the kernel decide from a moment on, since when it tells of every handshake; Infinity: no more. */
  toldFrom(ns: number): void {
    this.#toldFromNs = ns;
  }

  /** Has packets decide of what was before a moment: some of what the kernel told until then was lost. */
  lostUntil(ns: number): void {
    if (this.#toldFromNs < ns) this.#toldFromNs = ns;
  }

  /** Whether somebody listens on a port, and the kernel tells of what happened there at a time. */
  has(port: number, timeNs: number): boolean {
    return timeNs >= this.#toldFromNs && this.#isServed[port] !== 0;
  }
}

import type { KernelAccept, KernelEnd } from "./kernel_record.ts";

/** Records kept for reuse at most: about as many as come between two looks at 20,000 handshakes a second. */
const SPARE_MAX = 4_096;

const NO_ADDRESS = new Uint32Array(4);

/**
 * Records of which nothing is needed any more, to be filled again. A record lives until its handshake is
 * reported, a tenth of a second: the collector of V8 would have to move each of them twice.
 *
 * What is not given back is collected as any other object.
 */
export class SpareRecords {
  readonly #ends: KernelEnd[] = [];
  readonly #accepts: KernelAccept[] = [];

  /** A record of one end, whose every field is to be set. */
  takeEnd(): KernelEnd {
    return this.#ends.pop() ?? newEnd();
  }

  /** A record of an accept(), whose every field is to be set. */
  takeAccept(): KernelAccept {
    return this.#accepts.pop() ?? newAccept();
  }

  /** Takes back a record that nobody looks at any more. */
  give(record: KernelEnd | KernelAccept): void {
    if (record.kind === "accepted") {
      if (this.#accepts.length < SPARE_MAX) this.#accepts.push(record);
    } else if (this.#ends.length < SPARE_MAX * 2) this.#ends.push(record);
  }
}

/** Every field is there from the start, so that to the engine all have one shape. */
export function newEnd(): KernelEnd {
  return {
    kind: "client",
    endNs: 0,
    local: NO_ADDRESS,
    localPort: 0,
    remote: NO_ADDRESS,
    remotePort: 0,
    pid: 0,
    comm: "",
    thread: undefined,
    isKernel: false,
    uid: 0,
    netns: 0,
    cgroup: 0,
    oldState: 0,
    newState: 0,
    iss: 0,
    irs: undefined,
    connectNs: undefined,
    synSentNs: undefined,
    synReceivedNs: undefined,
    listener: undefined,
    devices: undefined,
    synCookie: undefined,
    rttMinUs: undefined,
    retransmits: 0,
    error: 0,
    options: undefined,
  };
}

/** See {@link newEnd}. */
export function newAccept(): KernelAccept {
  return {
    kind: "accepted",
    endNs: 0,
    local: NO_ADDRESS,
    localPort: 0,
    remote: NO_ADDRESS,
    remotePort: 0,
    pid: 0,
    comm: "",
    thread: undefined,
    isKernel: false,
    uid: 0,
    netns: 0,
    cgroup: 0,
    irs: 0,
  };
}

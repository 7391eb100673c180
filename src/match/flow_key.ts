/** What goes from one end of a connection to the other: a segment, or the packet of a kernel record. */
export interface BetweenEnds {
  readonly source: Uint32Array;
  readonly destination: Uint32Array;
  readonly sourcePort: number;
  readonly destinationPort: number;
}

const NOWHERE = new Uint32Array(4);

/**
 * The tuple by which attempts are found: addresses and ports, told apart by who is the client. One object
 * is filled anew for each packet; its addresses are those of what it was filled from, not copies.
 */
export class FlowKey {
  /** The client's address, four words, IPv4 as IPv4-mapped. */
  client: Uint32Array;
  /** The server's. */
  server: Uint32Array;
  /**
   * Client's port << 16 | server's: signed, which is always a small integer to the engine. Unsigned ones
   * would cost it what it has compiled with the first high port of a client.
   */
  ports: number;

  /** Makes one; see {@link ports}. */
  constructor(client: Uint32Array = NOWHERE, server: Uint32Array = NOWHERE, ports = 0) {
    this.client = client;
    this.server = server;
    this.ports = ports;
  }

  /** Takes two ends. @returns This key. */
  set(client: Uint32Array, clientPort: number, server: Uint32Array, serverPort: number): this {
    this.client = client;
    this.server = server;
    this.ports = clientPort << 16 | serverPort;
    return this;
  }

  /** Takes the ends of what a client sent. @returns This key. */
  sentByClient({ source, sourcePort, destination, destinationPort }: BetweenEnds): this {
    return this.set(source, sourcePort, destination, destinationPort);
  }

  /** Takes the ends of what a server sent. @returns This key. */
  sentByServer({ source, sourcePort, destination, destinationPort }: BetweenEnds): this {
    return this.set(destination, destinationPort, source, sourcePort);
  }
}

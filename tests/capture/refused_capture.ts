/**
 * A capture of connections that were refused: a record each, as many as are asked for.
 *
 * @module
 */
import { TcpFlag } from "../../src/wire/segment.ts";
import { buildPcap } from "../unit/pcap/build_capture.ts";
import { buildEthernet, buildIpv4, buildTcp } from "../unit/wire/build_frame.ts";

/** How many, from which port of the client on, and how many seconds apart. */
export interface RefusedOptions {
  count: number;
  firstPort: number;
  secondsApart: number;
}

/** Builds a pcap: a SYN and the RST that answers it, over and over. */
export function buildRefused({ count, firstPort, secondsApart }: RefusedOptions) {
  return buildPcap({
    records: Array.from({ length: count }, (_, index) => {
      const [client, server] = ["192.0.2.1", "198.51.100.2"];
      const port = firstPort + index;
      const syn = buildTcp({
        sourcePort: port,
        destinationPort: 443,
        flags: TcpFlag.SYN,
        sequence: 1_000,
      });
      const reset = buildTcp({
        sourcePort: 443,
        destinationPort: port,
        flags: TcpFlag.RST | TcpFlag.ACK,
        sequence: 0,
        acknowledgment: 1_001,
      });
      return [
        { source: client, destination: server, payload: syn },
        { source: server, destination: client, payload: reset },
      ].map((packet, nth) => ({
        seconds: 1_700_000_000 + secondsApart * index,
        fraction: nth,
        data: buildEthernet({ payload: buildIpv4(packet) }),
      }));
    }).flat(),
  });
}

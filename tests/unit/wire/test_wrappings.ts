/**
 * The tests that every decoder of a wrapping passes: good, cut anywhere, damaged, impossible.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { frameVerdictNames } from "../../../src/wire/frame.ts";
import { tunnelNames } from "../../../src/wire/tunnel.ts";
import { buildEthernet, buildIpv4, buildIpv6, buildTcp } from "./build_frame.ts";
import { udp, WRAPPINGS } from "./build_wrapping.ts";
import { decode, verdictOf } from "./decode.ts";

const TCP = buildTcp({ sequence: 77, payload: new Uint8Array(3) });
/** What is wrapped. */
export const IPV4: Uint8Array = buildIpv4({ source: "10.1.1.1", payload: TCP });
/** The same over IPv6. */
export const IPV6: Uint8Array = buildIpv6({ source: "2001:db8::7", payload: TCP });

/** A frame that no sender makes, or that holds no segment. */
export interface Impossible {
  name: string;
  /** Ethernet unless told. */
  linkType?: number;
  frame: Uint8Array;
  /** Name of the verdict. */
  expected: string;
}

/** An Ethernet frame with an IPv4 packet of a protocol. */
export function overIp(protocol: number, payload: Uint8Array): Uint8Array {
  return buildEthernet({ payload: buildIpv4({ protocol, payload }) });
}

/** An Ethernet frame with a UDP packet to a port. */
export function inUdp(port: number, payload: Uint8Array): Uint8Array {
  return overIp(17, udp(port, payload));
}

/** An Ethernet frame of a type. */
export function inEthernet(etherType: number, payload: Uint8Array): Uint8Array {
  return buildEthernet({ etherType, payload });
}

/** Bytes behind the segment's data. */
function trailerLength(frame: Uint8Array): number {
  const at = frame.toHex().lastIndexOf(TCP.toHex());
  return frame.length - at / 2 - TCP.length;
}

/** Registers the tests of a decoder's wrappings, and of frames that it must give a reason for. */
export function testWrappings(decoder: string, impossible: readonly Impossible[]): void {
  for (const { name, linkType, tunnels, wrap } of WRAPPINGS.filter((w) => w.decoder === decoder)) {
    Deno.test(`decodeFrame finds the segment in ${name}`, () => {
      for (const packet of name === "LLC without SNAP" ? [IPV4] : [IPV4, IPV6]) {
        const { verdict, segment } = decode({ bytes: wrap(packet), linkType });
        const { ipVersion, sequence, payloadLength } = segment;
        assertEquals(
          [frameVerdictNames[verdict], ipVersion, sequence, payloadLength],
          ["tcp", packet[0] >>> 4, 77, 3],
        );
        assertEquals(tunnelNames(segment.tunnels), tunnels);
      }
    });

    Deno.test(`decodeFrame gives a reason for a cut in ${name}`, () => {
      const frame = wrap(IPV4);
      // Behind the TCP header there is only data, padding, or another frame.
      const headersEnd = frame.length - trailerLength(frame) - 3;
      for (let captured = 0; captured < headersEnd; captured++) {
        const verdict = verdictOf({ bytes: frame, linkType, captured });
        assertEquals(verdict === "tcp", false, `${captured} bytes`);
      }
    });

    Deno.test(`decodeFrame takes any damage to ${name}`, () => {
      const frame = wrap(IPV4);
      const change = fc.tuple(fc.nat({ max: frame.length - 1 }), fc.nat({ max: 255 }));
      fc.assert(fc.property(
        fc.array(change, { maxLength: 6 }),
        fc.nat({ max: frame.length }),
        (changes, captured) => {
          const damaged = frame.slice();
          for (const [at, value] of changes) damaged[at] = value;
          // Its view refuses reads outside the frame.
          verdictOf({ bytes: damaged, linkType, captured });
        },
      ));
    });
  }
  for (const { name, linkType, frame, expected } of impossible) {
    Deno.test(`decodeFrame gives a reason for ${name}`, () => {
      assertEquals(verdictOf({ bytes: frame, linkType }), expected);
    });
  }
}

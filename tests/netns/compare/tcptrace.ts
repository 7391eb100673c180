/**
 * What tcptrace says of the connections in a capture.
 *
 * @module
 */
import { formatAddress, parseAddress } from "../../../src/wire/address.ts";

/** A connection as tcptrace has it: `a` sent its first packet. */
export interface TracedConnection {
  /** Address and port of each end. */
  readonly a: string;
  readonly b: string;
  /** What stands behind "complete conn". */
  readonly complete: string;
  /** "RTT from 3WHS" of packets that `a` sent and that `b` sent: 0 where there is none. */
  readonly rttNs: readonly [ofA: number, ofB: number];
}

/** Longer than anything in the lab is idle. */
const IDLE_SECONDS = 300;

const CONNECTION = new RegExp(
  [
    String.raw`host \w+:\s+(?<a>\S+)`,
    String.raw`host \w+:\s+(?<b>\S+)`,
    String.raw`complete conn:\s+(?<complete>.+?)\s*\n`,
    String.raw`RTT from 3WHS:\s+(?<ofA>[\d.]+) ms\s+RTT from 3WHS:\s+(?<ofB>[\d.]+) ms`,
  ].join(String.raw`[^]*?`),
  "g",
);

/** Runs tcptrace on a file. @param slower How much slower than really time passes in it. */
export async function tracedConnections(
  file: string,
  slower: number,
): Promise<TracedConnection[]> {
  const { stdout } = await new Deno.Command("tcptrace", {
    // It takes what was idle for long for another connection, and time was stretched.
    args: ["-l", "-r", "-n", `--endpoint_reuse_interval=${IDLE_SECONDS * slower}`, file],
    stdin: "null",
    stderr: "null",
  }).output();
  return [...new TextDecoder().decode(stdout).matchAll(CONNECTION)].map(({ groups }) => {
    const { a, b, complete, ofA, ofB } = groups!;
    const ns = (milliseconds: string) => Number(milliseconds) * 1e6 / slower;
    return {
      a: endpoint(a),
      b: endpoint(b),
      complete: complete.replace(/\s+/g, " "),
      rttNs: [ns(ofA), ns(ofB)],
    };
  });
}

/** Address and port; tcptrace writes IPv6 addresses in its own way. */
function endpoint(text: string): string {
  const colon = text.lastIndexOf(":");
  const words = parseAddress(text.slice(0, colon));
  if (words === undefined) throw new Error(`Cannot read "${text}" of tcptrace: it is no address`);
  return `${formatAddress(words)}${text.slice(colon)}`;
}

/**
 * What tshark says of the handshakes in a capture.
 *
 * @module
 */

/** The SYNs and SYN-ACKs of a file, each by the handshake that it belongs to. */
export interface TsharkCapture {
  /** Handshakes with a SYN: `client:port>server:port/ISN`. */
  handshakes: Set<string>;
  /** Sequence numbers of the SYN-ACKs that acknowledge a handshake's SYN, data in it included. */
  serverIsns: Map<string, Set<number>>;
  /** `tcp.analysis.initial_rtt` in nanoseconds, of handshakes whose packets came once each. */
  initialRttsNs: Map<string, number>;
}

const FIELDS = [
  "ip.src",
  "ip.dst",
  "ipv6.src",
  "ipv6.dst",
  "tcp.srcport",
  "tcp.dstport",
  "tcp.flags.syn",
  "tcp.flags.ack",
  "tcp.seq_raw",
  "tcp.ack_raw",
  "tcp.len",
  "tcp.stream",
  "tcp.analysis.initial_rtt",
] as const;

/** The name of a handshake, as keys here have it. */
export function handshakeKey(
  client: { address: string; port: number; isn?: number },
  server: { address: string; port: number },
): string {
  return `${client.address}:${client.port}>${server.address}:${server.port}/${client.isn}`;
}

/** Reads a capture with tshark. */
export async function readWithTshark(path: string): Promise<TsharkCapture> {
  const { success, stdout, stderr } = await new Deno.Command("tshark", {
    args: ["-nr", path, "-Y", "tcp", "-T", "fields", ...FIELDS.flatMap((field) => ["-e", field])],
    stdin: "null",
  }).output();
  if (!success) throw new Error(`tshark ${path}: ${new TextDecoder().decode(stderr)}`);
  const lines = new TextDecoder().decode(stdout).split("\n").filter((line) => line !== "");
  const packets = lines.map((line) => {
    const [source4, target4, source6, target6, ...rest] = line.split("\t");
    const [sourcePort, targetPort, syn, ack, sequence, acknowledgment, length, stream] = rest.slice(
      0,
      8,
    ).map(Number);
    return {
      source: { address: source4 || source6, port: sourcePort },
      target: { address: target4 || target6, port: targetPort },
      isSyn: syn === 1 && ack === 0,
      isSynAck: syn === 1 && ack === 1,
      sequence,
      acknowledgment,
      length,
      stream,
      initialRtt: rest[8] ? Number(rest[8]) : undefined,
    };
  });
  const handshakes = new Set<string>();
  const serverIsns = new Map<string, Set<number>>();
  const initialRttsNs = new Map<string, number>();
  const syns = packets.filter(({ isSyn }) => isSyn);
  const synAcks = packets.filter(({ isSynAck }) => isSynAck);
  for (const syn of syns) {
    const key = handshakeKey({ ...syn.source, isn: syn.sequence }, syn.target);
    handshakes.add(key);
    const answers = synAcks.filter((synAck) => {
      const distance = (synAck.acknowledgment - syn.sequence) >>> 0;
      return same(synAck.source, syn.target) && same(synAck.target, syn.source) &&
        distance >= 1 && distance <= 1 + syn.length;
    });
    if (answers.length > 0) serverIsns.set(key, new Set(answers.map(({ sequence }) => sequence)));
    const alone = syns.filter(({ stream }) => stream === syn.stream).length === 1 &&
      synAcks.filter(({ stream }) => stream === syn.stream).length === 1;
    const rtt = packets.find(({ stream, initialRtt }) =>
      stream === syn.stream && initialRtt !== undefined
    )?.initialRtt;
    if (alone && rtt !== undefined) initialRttsNs.set(key, Math.round(rtt * 1e9));
  }
  return { handshakes, serverIsns, initialRttsNs };
}

function same(a: { address: string; port: number }, b: { address: string; port: number }): boolean {
  return a.address === b.address && a.port === b.port;
}

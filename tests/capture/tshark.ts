/**
 * What tshark says of the handshakes in a capture.
 *
 * @module
 */

/** One end of a connection. */
export interface End {
  address: string;
  port: number;
}

/** A TCP segment as tshark shows it, the innermost of its frame. */
export interface TsharkPacket {
  /** Number of the frame, 1 the first. */
  frame: number;
  /** Seconds since the epoch, as text: nine digits do not fit a number. */
  time: string;
  source: End;
  target: End;
  isSyn: boolean;
  isSynAck: boolean;
  isReset: boolean;
  hasAck: boolean;
  sequence: number;
  acknowledgment: number;
  /** Bytes of data. */
  length: number;
  stream: number;
  initialRtt: number | undefined;
  /** Whether tshark finds a checksum of it wrong: of the segment, or of its IPv4 header. */
  hasWrongChecksum: boolean;
  /** Its protocols from the link on, as `eth:ethertype:ip:tcp`. */
  protocols: string;
}

/** One handshake with a SYN. */
export interface TsharkHandshake {
  /** See {@linkcode handshakeKey}. */
  key: string;
  client: End & { isn: number };
  server: End;
  syns: readonly TsharkPacket[];
  /** Those that acknowledge the SYN, data in it included. */
  synAcks: readonly TsharkPacket[];
  /** The first segment of the client that fits both, if there is one. */
  third: TsharkPacket | undefined;
  /** From the only SYN to the third packet. */
  thirdNs: number | undefined;
  /** `tcp.analysis.initial_rtt` in nanoseconds, where its packets came once each. */
  initialRttNs: number | undefined;
}

const FIELDS = [
  "ip.src",
  "ip.dst",
  "ipv6.src",
  "ipv6.dst",
  "frame.protocols",
  "frame.time_epoch",
  "tcp.checksum.status",
  "ip.checksum.status",
  "frame.number",
  "tcp.srcport",
  "tcp.dstport",
  "tcp.flags",
  "tcp.seq_raw",
  "tcp.ack_raw",
  "tcp.len",
  "tcp.stream",
  "tcp.analysis.initial_rtt",
] as const;
/** Fields before the numbers. */
const TEXT_FIELDS = 8;

const SYN = 0x02;
const RST = 0x04;
const ACK = 0x10;
/** `tcp.checksum.status` and `ip.checksum.status` of a wrong one. */
const BAD = "0";

/** The prefix of an IPv4 address in an IPv6 packet, which `read` writes as the former. */
const MAPPED = /^::ffff:(?=[\d.]+$)/;

/** What tshark judges only when asked, and what it must not make up. */
const PREFERENCES = [
  "tcp.check_checksum:TRUE",
  "ip.check_checksum:TRUE",
  // It may be wrong and is read all the same.
  "tcp.relative_sequence_numbers:FALSE",
];

/** The name of a handshake, as keys here have it. */
export function handshakeKey(client: End & { isn?: number }, server: End): string {
  const of = ({ address, port }: End) => `${address.replace(MAPPED, "")}:${port}`;
  return `${of(client)}>${of(server)}/${client.isn}`;
}

/** Reads a capture with tshark. */
export async function readWithTshark(path: string): Promise<TsharkHandshake[]> {
  return handshakesOf(await packetsOf(path));
}

async function packetsOf(path: string): Promise<TsharkPacket[]> {
  const { success, stdout, stderr } = await new Deno.Command("tshark", {
    args: [
      ...PREFERENCES.flatMap((preference) => ["-o", preference]),
      // The segment that an ICMP error quotes was not sent where it is seen.
      ...["-nr", path, "-Y", "tcp && !icmp && !icmpv6", "-T", "fields"],
      // Of a packet in a tunnel the innermost.
      ...["-E", "occurrence=l"],
      ...FIELDS.flatMap((field) => ["-e", field]),
    ],
    stdin: "null",
  }).output();
  const lines = new TextDecoder().decode(stdout).split("\n").filter((line) => line !== "");
  // A file that is cut off gives what comes before.
  if (!success && lines.length === 0) {
    throw new Error(`tshark ${path}: ${new TextDecoder().decode(stderr).trim()}`);
  }
  return lines.map(packetOf);
}

function packetOf(line: string): TsharkPacket {
  const fields = line.split("\t");
  const [source4, target4, source6, target6, protocols, time, ofTcp, ofIp] = fields;
  const numbers = fields.slice(TEXT_FIELDS);
  const [frame, sourcePort, targetPort, flags, sequence, acknowledgment, length, stream] = numbers
    .map(Number);
  const isIpv6 = protocols.lastIndexOf(":ipv6") > Math.max(protocols.lastIndexOf(":ip:"), 0) ||
    source4 === "";
  const isSyn = (flags & SYN) !== 0;
  const hasAck = (flags & ACK) !== 0;
  const initialRtt = numbers.at(-1);
  return {
    frame,
    time,
    source: { address: isIpv6 ? source6 : source4, port: sourcePort },
    target: { address: isIpv6 ? target6 : target4, port: targetPort },
    isSyn: isSyn && !hasAck && (flags & RST) === 0,
    isSynAck: isSyn && hasAck && (flags & RST) === 0,
    isReset: (flags & RST) !== 0,
    hasAck,
    sequence,
    acknowledgment,
    length,
    stream,
    initialRtt: initialRtt ? Number(initialRtt) : undefined,
    hasWrongChecksum: ofTcp === BAD || !isIpv6 && ofIp === BAD,
    protocols,
  };
}

/** Puts packets together to handshakes, by their numbers alone. */
export function handshakesOf(packets: readonly TsharkPacket[]): TsharkHandshake[] {
  const syns = Map.groupBy(
    packets.filter(({ isSyn }) => isSyn),
    ({ source, target, sequence }) => handshakeKey({ ...source, isn: sequence }, target),
  );
  const ofStream = Map.groupBy(packets, ({ stream }) => stream);
  return [...syns].map(([key, ofKey]) => {
    const [{ source: client, target: server, sequence: isn, stream }] = ofKey;
    const length = Math.max(...ofKey.map((syn) => syn.length));
    const fits = (number: number) => ((number - isn - 1) >>> 0) <= length;
    const others = packets.filter(({ source, target }) =>
      same(source, client) && same(target, server) || same(source, server) && same(target, client)
    );
    const synAcks = others.filter((packet) =>
      packet.isSynAck && same(packet.source, server) && fits(packet.acknowledgment)
    );
    const third = others.find((packet) =>
      same(packet.source, client) && packet.hasAck && !packet.isSynAck && !packet.isReset &&
      fits(packet.sequence) &&
      synAcks.some((synAck) =>
        ((packet.acknowledgment - synAck.sequence - 1) >>> 0) < 2 ** 31 &&
        synAck.frame < packet.frame
      )
    );
    const stand = ofStream.get(stream)!;
    const alone = stand.filter(({ isSyn }) => isSyn).length === 1 &&
      stand.filter(({ isSynAck }) => isSynAck).length === 1;
    const rtt = stand.find(({ initialRtt }) => initialRtt !== undefined)?.initialRtt;
    return {
      key,
      client: { ...client, isn },
      server,
      syns: ofKey,
      synAcks,
      third,
      thirdNs: third && ofKey.length === 1
        ? Number(nanoseconds(third.time) - nanoseconds(ofKey[0].time))
        : undefined,
      initialRttNs: alone && rtt !== undefined ? Math.round(rtt * 1e9) : undefined,
    };
  });
}

function same(a: End, b: End): boolean {
  return a.address === b.address && a.port === b.port;
}

function nanoseconds(time: string): bigint {
  const [seconds, fraction = ""] = time.split(".");
  return BigInt(seconds) * 1_000_000_000n + BigInt(fraction.padEnd(9, "0").slice(0, 9));
}

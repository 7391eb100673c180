import { sha1OfOneBlock } from "./sha1.ts";

const TCP = 6;
const SEED = 0;
/** Seed, two addresses, protocol, padding, two ports. */
const IPV4_BYTES = 2 + 2 * 4 + 2 + 4;
const IPV6_BYTES = 2 + 2 * 16 + 2 + 4;

// Filled anew for each flow.
const message = new DataView(new ArrayBuffer(IPV6_BYTES));
const ipv6Message = new Uint8Array(message.buffer);
const ipv4Message = ipv6Message.subarray(0, IPV4_BYTES);
const digest = new DataView(new ArrayBuffer(20));
const digestBytes = new Uint8Array(digest.buffer);

/**
 * The Community ID v1 flow hash of a TCP connection (github.com/corelight/community-id-spec, seed
 * 0): the same in both directions, shared with Zeek, Suricata and Wireshark.
 *
 * @param client Address of one end, four words, IPv4 as IPv4-mapped. @param server Of the other.
 * @param ipv4 Whether the packets were IPv4.
 */
export function communityId(
  client: Uint32Array,
  clientPort: number,
  server: Uint32Array,
  serverPort: number,
  ipv4: boolean,
): string {
  const clientFirst = isOrdered(client, clientPort, server, serverPort);
  const addressBytes = ipv4 ? 4 : 16;
  message.setUint16(0, SEED);
  writeAddress(2, clientFirst ? client : server, ipv4);
  writeAddress(2 + addressBytes, clientFirst ? server : client, ipv4);
  const rest = 2 + 2 * addressBytes;
  message.setUint8(rest, TCP);
  message.setUint8(rest + 1, 0);
  message.setUint16(rest + 2, clientFirst ? clientPort : serverPort);
  message.setUint16(rest + 4, clientFirst ? serverPort : clientPort);
  sha1OfOneBlock(ipv4 ? ipv4Message : ipv6Message, digest);
  return "1:" + digestBytes.toBase64();
}

/** The smaller address goes first, with equal addresses the smaller port. */
function isOrdered(
  client: Uint32Array,
  clientPort: number,
  server: Uint32Array,
  serverPort: number,
): boolean {
  for (let word = 0; word < 4; word++) {
    if (client[word] !== server[word]) return client[word] < server[word];
  }
  return clientPort <= serverPort;
}

function writeAddress(at: number, words: Uint32Array, ipv4: boolean): void {
  if (ipv4) {
    message.setUint32(at, words[3]);
    return;
  }
  for (let word = 0; word < 4; word++) message.setUint32(at + word * 4, words[word]);
}

import { createHash } from "node:crypto";

const TCP = 6;
const SEED = 0;

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
  const bytes = new DataView(new ArrayBuffer(2 + 2 * addressBytes + 2 + 4));
  bytes.setUint16(0, SEED);
  writeAddress(bytes, 2, clientFirst ? client : server, ipv4);
  writeAddress(bytes, 2 + addressBytes, clientFirst ? server : client, ipv4);
  const rest = 2 + 2 * addressBytes;
  bytes.setUint8(rest, TCP);
  bytes.setUint16(rest + 2, clientFirst ? clientPort : serverPort);
  bytes.setUint16(rest + 4, clientFirst ? serverPort : clientPort);
  return "1:" + createHash("sha1").update(bytes).digest("base64");
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

function writeAddress(bytes: DataView, at: number, words: Uint32Array, ipv4: boolean): void {
  if (ipv4) {
    bytes.setUint32(at, words[3]);
    return;
  }
  for (let word = 0; word < 4; word++) bytes.setUint32(at + word * 4, words[word]);
}

import type { Handshake } from "../match/handshake.ts";
import { ByteText, ConstantText } from "../text/byte_text.ts";
import { sha1OfOneBlock } from "./sha1.ts";

const TCP = 6;
const SEED = 0;
/** Seed, two addresses, protocol, padding, two ports. */
const IPV4_BYTES = 2 + 2 * 4 + 2 + 4;
const IPV6_BYTES = 2 + 2 * 16 + 2 + 4;

const DIGEST_BYTES = 20;

/** The digits of base64 (RFC 4648 section 4) and what fills up the last group. */
const BASE64 = Uint8Array.from(
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
  (digit) => digit.charCodeAt(0),
);
const PAD = "=".charCodeAt(0);

const VERSION = new ConstantText("1:");

// Filled anew for each flow.
const message = new DataView(new ArrayBuffer(IPV6_BYTES));
const ipv4Message = new DataView(message.buffer, 0, IPV4_BYTES);
const digest = new DataView(new ArrayBuffer(DIGEST_BYTES));
const text = new ByteText(64);

/**
 * The Community ID v1 flow hash of a TCP connection (github.com/corelight/community-id-spec, seed
 * 0): the same in both directions, shared with Zeek, Suricata and Wireshark.
 *
 * @param client Address of one end, four words, IPv4 as IPv4-mapped. @param server Of the other.
 * @param ipv4 Whether the packets were IPv4.
 * @returns The text, valid until the next call.
 */
export function communityId(
  client: Uint32Array,
  clientPort: number,
  server: Uint32Array,
  serverPort: number,
  ipv4: boolean,
): ByteText {
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
  sha1OfOneBlock(ipv4 ? ipv4Message : message, digest);
  text.length = 0;
  text.constant(VERSION);
  appendBase64();
  return text;
}

/**
 * The same of a handshake's flow.
 *
 * @returns The text, valid until the next call; undefined where a connect() failed before it had a port.
 */
export function communityIdOf(handshake: Handshake): ByteText | undefined {
  const { client, server, ipv4, wire } = handshake;
  // One that failed at once had neither port nor number yet; a SYN may come from port 0.
  if (client.port === 0 && client.isn === undefined && !wire) return undefined;
  return communityId(client.address, client.port, server.address, server.port, ipv4);
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

/** Twenty bytes are six groups of three, and two more. */
function appendBase64(): void {
  for (let at = 0; at < 18; at += 3) {
    const group = digest.getUint16(at) << 8 | digest.getUint8(at + 2);
    text.character(BASE64[group >>> 18]);
    text.character(BASE64[group >>> 12 & 63]);
    text.character(BASE64[group >>> 6 & 63]);
    text.character(BASE64[group & 63]);
  }
  const last = digest.getUint16(18) << 2;
  text.character(BASE64[last >>> 12]);
  text.character(BASE64[last >>> 6 & 63]);
  text.character(BASE64[last & 63]);
  text.character(PAD);
}

/**
 * Handshakes as rows of numbers, which are handed to another thread at a tenth of what the objects cost.
 *
 * @module
 */
import {
  type Endpoint,
  type Handshake,
  HANDSHAKE_FLAGS,
  type HandshakeFlag,
  OUTCOMES,
  ROLES,
} from "../match/handshake.ts";
import { TUNNEL_NAMES, type TunnelName } from "../wire/tunnel_names.ts";

/** Numbers in a row: forty, eleven of each end, and the interfaces with how many there are. */
export const ROW_LENGTH = 40 + 2 * 11 + 9;

/** What stands for unknown: no number of a handshake is it. */
export const UNKNOWN = NaN;
/** The lists are bounded where they are made; flags of a record that another wrote are not. */
const TUNNELS_MAX = 5;
const INTERFACES_MAX = 8;
const FLAGS_MAX = 12;
/** A list of words is one number: a digit each, the first the highest. */
const TUNNEL_BASE = 64;
const FLAG_BASE = 16;
const NO_TUNNELS: readonly TunnelName[] = [];

/**
 * Whether a row holds all that a record tells of a handshake: not of one with texts, such as processes
 * and reasons. Of capture files nearly every handshake fits.
 */
export function fitsRow(handshake: Handshake): boolean {
  const { client, server } = handshake;
  return client.process === undefined && server.process === undefined &&
    handshake.reason === undefined && handshake.translated === undefined &&
    handshake.icmp === undefined && handshake.dropCount === undefined &&
    handshake.dropReason === undefined && handshake.dropPacket === undefined &&
    handshake.dropQueue === undefined && handshake.resetReason === undefined &&
    fitsLists(handshake);
}

/** Whether a row has room for a handshake's lists. */
export function fitsLists({ tunnels, interfaces, flags }: Handshake): boolean {
  return tunnels.length <= TUNNELS_MAX && interfaces.length <= INTERFACES_MAX &&
    flags.length <= FLAGS_MAX;
}

/** Writes a handshake that {@link fitsRow}. @param at Where its row begins. */
export function writeRow(handshake: Handshake, rows: Float64Array, at: number): void {
  const it = handshake;
  rows[at++] = it.epochSeconds;
  rows[at++] = it.timeNs;
  rows[at++] = ROLES.indexOf(it.role);
  rows[at++] = OUTCOMES.indexOf(it.outcome);
  rows[at++] = Number(it.wire);
  rows[at++] = Number(it.kernel);
  rows[at++] = Number(it.ipv4);
  rows[at++] = Number(it.ambiguous);
  rows[at++] = it.place;
  rows[at++] = it.vlan ?? UNKNOWN;
  rows[at++] = it.netns ?? UNKNOWN;
  rows[at++] = tunnelsNumber(it.tunnels);
  rows[at++] = flagsNumber(it.flags);
  rows[at++] = it.clientRttNs ?? UNKNOWN;
  rows[at++] = it.serverRttNs ?? UNKNOWN;
  rows[at++] = it.totalNs ?? UNKNOWN;
  rows[at++] = it.firstSynToSynAckNs ?? UNKNOWN;
  rows[at++] = it.lastSynToSynAckNs ?? UNKNOWN;
  rows[at++] = it.firstSynAckToAckNs ?? UNKNOWN;
  rows[at++] = it.lastSynAckToAckNs ?? UNKNOWN;
  rows[at++] = it.kernelClientRttNs ?? UNKNOWN;
  rows[at++] = it.kernelServerRttNs ?? UNKNOWN;
  rows[at++] = it.synCount;
  rows[at++] = it.synAckCount;
  rows[at++] = it.rstCount;
  rows[at++] = it.connectNs ?? UNKNOWN;
  rows[at++] = it.synSentNs ?? UNKNOWN;
  rows[at++] = it.synNs ?? UNKNOWN;
  rows[at++] = it.synReceivedNs ?? UNKNOWN;
  rows[at++] = it.synAckNs ?? UNKNOWN;
  rows[at++] = it.ackNs ?? UNKNOWN;
  rows[at++] = it.establishedNs ?? UNKNOWN;
  rows[at++] = it.serverEstablishedNs ?? UNKNOWN;
  rows[at++] = it.acceptedNs ?? UNKNOWN;
  rows[at++] = it.icmpNs ?? UNKNOWN;
  rows[at++] = it.droppedNs ?? UNKNOWN;
  rows[at++] = it.resetSentNs ?? UNKNOWN;
  rows[at++] = Number(it.synAckAcknowledgesSyn ?? UNKNOWN);
  rows[at++] = Number(it.ackSequence ?? UNKNOWN);
  rows[at++] = Number(it.ackAcknowledgesSynAck ?? UNKNOWN);
  at = writeEndpoint(it.client, rows, at);
  at = writeEndpoint(it.server, rows, at);
  rows[at++] = it.interfaces.length;
  for (const place of it.interfaces) rows[at++] = place;
}

/**
 * Reads a row back into a handshake, all of which is filled anew. What is always a small integer is read as
 * one: as the double that a row holds it would change the class, and all code made for that be made again.
 */
export function readRow(rows: Float64Array, at: number, into: Handshake): void {
  const it = into;
  it.epochSeconds = rows[at++];
  it.timeNs = rows[at++];
  it.role = ROLES[rows[at++]];
  it.outcome = OUTCOMES[rows[at++]];
  it.wire = rows[at++] === 1;
  it.kernel = rows[at++] === 1;
  it.ipv4 = rows[at++] === 1;
  it.ambiguous = rows[at++] === 1;
  it.place = rows[at++] >>> 0;
  it.vlan = known(rows[at++]);
  it.netns = known(rows[at++]);
  it.tunnels = tunnelsOf(rows[at++]);
  readFlags(rows[at++], it.flags);
  it.clientRttNs = known(rows[at++]);
  it.serverRttNs = known(rows[at++]);
  it.totalNs = known(rows[at++]);
  it.firstSynToSynAckNs = known(rows[at++]);
  it.lastSynToSynAckNs = known(rows[at++]);
  it.firstSynAckToAckNs = known(rows[at++]);
  it.lastSynAckToAckNs = known(rows[at++]);
  it.kernelClientRttNs = known(rows[at++]);
  it.kernelServerRttNs = known(rows[at++]);
  it.synCount = rows[at++] >>> 0;
  it.synAckCount = rows[at++] >>> 0;
  it.rstCount = rows[at++] >>> 0;
  it.connectNs = known(rows[at++]);
  it.synSentNs = known(rows[at++]);
  it.synNs = known(rows[at++]);
  it.synReceivedNs = known(rows[at++]);
  it.synAckNs = known(rows[at++]);
  it.ackNs = known(rows[at++]);
  it.establishedNs = known(rows[at++]);
  it.serverEstablishedNs = known(rows[at++]);
  it.acceptedNs = known(rows[at++]);
  it.icmpNs = known(rows[at++]);
  it.droppedNs = known(rows[at++]);
  it.resetSentNs = known(rows[at++]);
  it.synAckAcknowledgesSyn = knownTruth(rows[at++]);
  it.ackSequence = knownTruth(rows[at++]);
  it.ackAcknowledgesSynAck = knownTruth(rows[at++]);
  at = readEndpoint(rows, at, it.client);
  at = readEndpoint(rows, at, it.server);
  while (it.interfaces.length > 0) it.interfaces.pop();
  for (let left = rows[at++]; left > 0; left--) it.interfaces.push(rows[at++] >>> 0);
}

function writeEndpoint(it: Endpoint, rows: Float64Array, at: number): number {
  const { address } = it;
  rows[at++] = address[0];
  rows[at++] = address[1];
  rows[at++] = address[2];
  rows[at++] = address[3];
  rows[at++] = it.port;
  rows[at++] = it.isn ?? UNKNOWN;
  rows[at++] = it.mss ?? UNKNOWN;
  rows[at++] = it.window ?? UNKNOWN;
  rows[at++] = it.windowScale ?? UNKNOWN;
  rows[at++] = Number(it.sackPermitted ?? UNKNOWN);
  rows[at++] = Number(it.timestamps ?? UNKNOWN);
  return at;
}

function readEndpoint(rows: Float64Array, at: number, into: Endpoint): number {
  const { address } = into;
  address[0] = rows[at++];
  address[1] = rows[at++];
  address[2] = rows[at++];
  address[3] = rows[at++];
  into.port = rows[at++] >>> 0;
  into.isn = known(rows[at++]);
  into.mss = known(rows[at++]);
  into.window = known(rows[at++]);
  into.windowScale = known(rows[at++]);
  into.sackPermitted = knownTruth(rows[at++]);
  into.timestamps = knownTruth(rows[at++]);
  return at;
}

/** A number of a row that may be {@linkcode UNKNOWN}. */
export function known(value: number): number | undefined {
  return Number.isNaN(value) ? undefined : value;
}

function knownTruth(value: number): boolean | undefined {
  return Number.isNaN(value) ? undefined : value === 1;
}

function tunnelsNumber(tunnels: readonly TunnelName[]): number {
  let number = 0;
  for (const tunnel of tunnels) number = number * TUNNEL_BASE + TUNNEL_NAMES.indexOf(tunnel) + 1;
  return number;
}

function tunnelsOf(number: number): readonly TunnelName[] {
  if (number === 0) return NO_TUNNELS;
  const outer = tunnelsOf(Math.floor(number / TUNNEL_BASE));
  return [...outer, TUNNEL_NAMES[number % TUNNEL_BASE - 1]];
}

function flagsNumber(flags: readonly HandshakeFlag[]): number {
  let number = 0;
  for (const flag of flags) number = number * FLAG_BASE + HANDSHAKE_FLAGS.indexOf(flag) + 1;
  return number;
}

function readFlags(number: number, into: HandshakeFlag[]): void {
  // To set the length costs more than all that is done with it.
  while (into.length > 0) into.pop();
  for (let rest = number; rest > 0; rest = Math.floor(rest / FLAG_BASE)) {
    into.unshift(HANDSHAKE_FLAGS[rest % FLAG_BASE - 1]);
  }
}

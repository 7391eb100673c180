/** What a row of the table keeps of the first SYN and of the first SYN-ACK. */
import type { Segment } from "../wire/segment.ts";
import { ecnSetup } from "../wire/tcp_flags.ts";
import { type FlowTable, WireFact } from "./flow_table.ts";

/** Keeps the first SYN: its options, its time and where it was seen. */
export function keepSyn(
  table: FlowTable,
  row: number,
  segment: Segment,
  timeNs: number,
  interfaceIndex: number,
): void {
  const { options } = segment;
  const ecn = ecnSetup(segment.flags);
  table.facts[row] |= WireFact.Syn |
    (options.timestamps ? WireFact.SynTimestamps : 0) |
    (options.sackPermitted ? WireFact.SynSackPermitted : 0) |
    (options.truncated ? WireFact.SynOptionsCut : 0) |
    (options.fastOpenCookieLength >= 0 || segment.payloadLength > 0 ? WireFact.FastOpen : 0) |
    (options.mptcpSubtype >= 0 ? WireFact.Mptcp : 0) |
    (ecn === "ecn" ? WireFact.SynEcn : 0) | (ecn === "accecn" ? WireFact.SynAccEcn : 0);
  table.syns[row] = table.synsBeforeAnswer[row] = 1;
  table.firstSynNs[row] = table.lastSynNs[row] = timeNs;
  table.lastSynTimestamp[row] = options.timestampValue;
  table.synPayloadLength[row] = segment.payloadLength;
  table.clientMss[row] = options.mss;
  table.clientWindow[row] = segment.window;
  table.clientWindowScale[row] = options.windowScale;
  table.synInterface[row] = interfaceIndex;
  keepNetwork(table, row, segment);
}

/** Keeps the first SYN-ACK: its numbers, its options, its time and where it was seen. */
export function keepSynAck(
  table: FlowTable,
  row: number,
  segment: Segment,
  timeNs: number,
  interfaceIndex: number,
): void {
  const { options } = segment;
  const ecn = ecnSetup(segment.flags);
  if ((table.facts[row] & WireFact.Syn) === 0) keepNetwork(table, row, segment);
  table.facts[row] |= WireFact.SynAck |
    (options.timestamps ? WireFact.SynAckTimestamps : 0) |
    (options.sackPermitted ? WireFact.SynAckSackPermitted : 0) |
    (options.truncated ? WireFact.SynAckOptionsCut : 0) |
    (options.fastOpenCookieLength >= 0 ? WireFact.FastOpen : 0) |
    (options.mptcpSubtype >= 0 ? WireFact.Mptcp : 0) |
    (ecn === "ecn" ? WireFact.SynAckEcn : 0) | (ecn === "accecn" ? WireFact.SynAckAccEcn : 0);
  table.synAcks[row] = table.synAcksBeforeAck[row] = 1;
  table.serverIsn[row] = segment.sequence;
  table.firstSynAckNs[row] = table.lastSynAckNs[row] = timeNs;
  table.lastSynAckTimestamp[row] = options.timestampValue;
  table.synAckEcho[row] = options.timestampEcho;
  table.serverMss[row] = options.mss;
  table.serverWindow[row] = segment.window;
  table.serverWindowScale[row] = options.windowScale;
  table.synAckInterface[row] = interfaceIndex;
}

function keepNetwork(table: FlowTable, row: number, { vlan, tunnels }: Segment): void {
  table.vlan[row] = vlan;
  table.tunnels[row] = tunnels;
}

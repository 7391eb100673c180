/**
 * What is known of a handshake under way beside times and numbers: a bit each.
 *
 * @module
 */

/** What the wire said of a handshake, one bit each, in the column `facts` of the table. */
export const WireFact = {
  Syn: 1 << 0,
  SynAck: 1 << 1,
  /** The third packet, its numbers fitting. */
  Ack: 1 << 2,
  ServerReset: 1 << 3,
  ClientReset: 1 << 4,
  /** A packet came whose number did not fit: SYN-ACK's Ack; third packet's Seq; third packet's Ack. */
  WrongSynAckAck: 1 << 5,
  WrongAckSequence: 1 << 6,
  WrongAckAck: 1 << 7,
  /** The packet carried the timestamps option (RFC 7323). */
  SynTimestamps: 1 << 8,
  SynAckTimestamps: 1 << 9,
  AckTimestamps: 1 << 10,
  SynSackPermitted: 1 << 11,
  SynAckSackPermitted: 1 << 12,
  /** TCP Fast Open option or data in the SYN (RFC 7413). */
  FastOpen: 1 << 13,
  Mptcp: 1 << 14,
  /** ECN or AccECN asked for by the SYN, agreed to by the SYN-ACK. */
  SynEcn: 1 << 15,
  SynAccEcn: 1 << 16,
  SynAckEcn: 1 << 17,
  SynAckAccEcn: 1 << 18,
  /** The SYN or SYN-ACK before the last carried the same timestamp: its echo tells nothing. */
  LastSynTimestampShared: 1 << 19,
  LastSynAckTimestampShared: 1 << 20,
  /** A SYN-ACK came with another sequence number than the first one's. */
  OtherServerIsn: 1 << 21,
  /** More than one SYN-ACK carried the first one's sequence number; the other one. */
  ServerIsnRepeated: 1 << 22,
  OtherServerIsnRepeated: 1 << 23,
  /** Not all of its options were seen: one that is missing may have been there. */
  SynOptionsCut: 1 << 24,
  SynAckOptionsCut: 1 << 25,
  /** The server sent a SYN too (RFC 9293 section 3.5), and the client a SYN-ACK in answer to it. */
  SimultaneousSyn: 1 << 26,
  SimultaneousSynAck: 1 << 27,
  /** The last SYN-ACK carried the other sequence number. */
  LastIsOtherServerIsn: 1 << 28,
} as const;

/** What else is known of a row, one bit each, in its column `marks`. */
export const Mark = {
  /** An ACK with the third one's Seq came, and nothing yet that its Ack acknowledges. */
  AckHeld: 1 << 0,
  /** It carried the timestamps option. */
  HeldTimestamps: 1 << 1,
  /** The server acknowledged the client's data: the third packet came, though it was not seen. */
  Proven: 1 << 2,
  /** A RST came after the SYN-ACK. */
  AnswerReset: 1 << 3,
  /** It was reported as not established. */
  ReportedFailed: 1 << 4,
  /** A RST came whose numbers do not fit. */
  WrongReset: 1 << 5,
  /** The third packet came when nobody was known to listen: the kernel's word may be due all the same. */
  UnknownServer: 1 << 6,
  /** It began where a filter keeps back the data that servers send. */
  DataHidden: 1 << 7,
  /** Of the client came no third packet but one behind it, or across it, which the server takes for it. */
  LaterAck: 1 << 8,
  /** Another SYN looks like its own behind a translation, or before one; its own like one behind. */
  MayHavePassed: 1 << 9,
  Passed: 1 << 10,
  /** The first SYN-ACK came by a place where the SYN had been seen, not first. */
  BothPassed: 1 << 11,
  /** The last SYN-ACK, and the last with the other number, has the time of where the SYN was seen first. */
  LastAtSyn: 1 << 12,
  OtherAtSyn: 1 << 13,
  /** The ACK was seen first where the SYN or the SYN-ACK does not count. */
  AckAstray: 1 << 14,
} as const;

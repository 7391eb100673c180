/**
 * What a capture file may claim before it counts as corrupt. A length beyond these is never believed,
 * so a broken file costs neither memory nor time.
 *
 * @module
 */

/** Bytes of a packet or block that are held at once; what follows of a longer one is skipped. */
export const HELD_MAX = 1 << 20;
/** Bytes of a packet without a greater snapshot length: `MAXIMUM_SNAPLEN` of libpcap's pcap-int.h. */
export const SNAP_LENGTH_USUAL = 262_144;
/** Bytes of any packet: `max_snaplen_for_dlt` of libpcap's pcap-common.c allows USB and D-Bus as many. */
export const PACKET_LENGTH_MAX = 128 * 1024 * 1024;
/** Bytes of a pcapng block: the longest packet with its options. */
export const BLOCK_LENGTH_MAX: number = PACKET_LENGTH_MAX + HELD_MAX;
/** Interfaces that one section of a pcapng file may describe. */
export const INTERFACE_COUNT_MAX = 4_096;
/** Characters of an interface's name that are kept; Linux allows 15, Windows names have some dozens. */
export const INTERFACE_NAME_MAX = 256;

/** Why a file cannot be read where zeros stand in the place of its next part. */
export const ZEROS_REASON =
  "zeros follow: not all of it came to the disk, as when the power fails while it is written";

// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * handshake_filter: a socket filter that passes the packets of TCP handshakes and nothing else.
 *
 * For   an AF_PACKET socket of type SOCK_DGRAM (offset 0 is the network header), attached with
 *       SO_ATTACH_BPF before the socket is bound.
 * Shows SYN, SYN-ACK and RST always; of the segments that only acknowledge, those that may complete
 *       a handshake; ICMP errors that quote a TCP segment; fragments that may hold a TCP header.
 *       Established traffic costs one map lookup in the kernel and nothing above it.
 * How   A SYN-ACK leaves an entry in `half_open`, keyed by interface and client-to-server tuple. A
 *       later segment with the ACK flag passes when the entry of its direction exists and its
 *       acknowledgment number covers the server's ISN. What it says cannot be believed yet: it may be
 *       a guess, or the kernel may throw it away for its checksum, which no filter can compute. So
 *       - with exactly the numbers of the third packet it passes, FIT_PASSES times: the first may be
 *         thrown away. Data may ride on it, so a lost third ACK is completed by the first data segment;
 *       - with the Seq of the third packet and a greater Ack (server data was there first) it passes,
 *         NEAR_PASSES times;
 *       - with others (the third packet was lost before this tap, a stray, a guess) it passes
 *         FAR_PASSES times and takes nothing along: who knows no number hides no third packet.
 *       The entry goes when the numbers fitted and the connection went on, or when NEAR_PASSES are
 *       used up, so that no flow passes its bulk traffic. A repeated SYN-ACK makes it anew; one with
 *       other numbers has its own place in it beside the first, since either may be the forged one. A
 *       RST takes no entry along; what it leaves behind falls out of the LRU.
 * Cost  0.10 us a packet of established traffic (IPv6 0.12), 0.06 us a SYN, 0.4 us a repeated SYN-ACK; 2 maps: `half_open` (LRU), `counters` (per CPU).
 * Needs Linux 4.18 (bpf_skb_load_bytes_relative). No BTF, no libbpf: bpf/build_filter.ts turns this
 *       file into handshake_filter.json, which src/linux/capture/handshake_filter.ts loads with bpf(2).
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/in.h>
#include <linux/in6.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __s32 s32;
typedef __u64 u64;

#define SECTION(name) __attribute__((section(name), used))
#define INLINE static inline __attribute__((always_inline))
#define ntohs(value) __builtin_bswap16(value)
#define ntohl(value) __builtin_bswap32(value)
#define htons(value) ((u16)__builtin_bswap16(value))

static void *(*map_lookup)(void *map, const void *key) = (void *)BPF_FUNC_map_lookup_elem;
static long (*map_update)(void *map, const void *key, const void *value,
                          u64 flags) = (void *)BPF_FUNC_map_update_elem;
static long (*map_delete)(void *map, const void *key) = (void *)BPF_FUNC_map_delete_elem;
static long (*load_relative)(const void *skb, u32 offset, void *to, u32 length,
                             u32 start) = (void *)BPF_FUNC_skb_load_bytes_relative;

/* Loopback is the first device of every network namespace, and the kernel insists that its index
 * is 1 (loopback_net_init). */
#define LOOPBACK_INDEX 1
#define VLAN_TAG_LENGTH 4
/* RFC 8200, 4.1: hop-by-hop, destination, routing, fragment, destination. */
#define EXTENSION_HEADERS 5
#define IPV4_FRAGMENT_OFFSET 0x1fff
#define IPV4_MORE_FRAGMENTS 0x2000
#define IPV6_FRAGMENT_OFFSET 0xfff8
/* In units of 8 bytes: a later fragment from here on holds no part of a TCP header. */
#define FRAGMENT_OFFSET_MAX 15
#define IPV6_FRAGMENT_OFFSET_SHIFT 3
#define TCP_HEADER_MAX 60
/* An ICMP message up to the end of the IP header that it quotes, without options or extensions. */
#define ICMP_QUOTED_IPV4 28
#define ICMP_QUOTED_IPV6 48
/* Holds such a message with extension headers and the TCP header behind it. */
#define ICMP_SNAP_LENGTH 128
/* Holds IPv4 (60) or IPv6 with short extension headers, a tag (4) and TCP with all options (60). */
#define SNAP_LENGTH 192
#define FIT_PASSES 3
#define NEAR_PASSES 8
#define FAR_PASSES 4
/* How far ahead an Ack may be and still be near: a server's first flight of data. */
#define NEAR_BYTES (1 << 20)

#define ICMP_DEST_UNREACH 3
#define ICMP_TIME_EXCEEDED 11
#define ICMPV6_DEST_UNREACH 1
#define ICMPV6_TIME_EXCEED 3

#define FLAG_FIN 0x01
#define FLAG_SYN 0x02
#define FLAG_RST 0x04
#define FLAG_ACK 0x10

/* One direction of a connection on one interface: a host may forward the same tuple over several,
 * and each copy is a packet of its own. Addresses and ports are as on the wire. */
struct flow {
  u32 interface_index;
  u16 client_port, server_port;
  u32 client[4], server[4];
};

/* What a SYN-ACK announced. */
struct numbers {
  u32 server_isn;
  u32 client_next; /* the Seq of the third packet: what the SYN-ACK acknowledged */
};

struct half_open_entry {
  struct numbers first, other; /* `other` is `first` as long as there is none */
  u16 fits, nears, fars;       /* segments passed, or met when no more passed, by their numbers */
  u16 later;                   /* segments met after one that fitted */
};

/* The order is that of COUNTERS in src/linux/capture/handshake_filter.ts. */
enum counter {
  COUNT_SYN,
  COUNT_SYN_ACK,
  COUNT_COMPLETING_ACK, /* passed, with the third packet's numbers */
  COUNT_UNFIT_ACK,      /* passed, with others */
  COUNT_OTHER_ACK,      /* not passed: no half-open entry, or the server's ISN not covered */
  COUNT_RST,
  COUNT_REMEMBERED, /* entries made */
  COUNT_FORGOTTEN,  /* entries of which a segment fitted, or whose passes were used up */
  COUNT_ICMP,       /* ICMP errors passed */
  COUNT_FRAGMENT,   /* fragments passed that may hold a part of a TCP header */
  COUNTERS,
};

struct map_definition {
  u32 type, key_size, value_size, max_entries;
};

struct map_definition half_open SECTION("maps") = {
    BPF_MAP_TYPE_LRU_HASH, sizeof(struct flow), sizeof(struct half_open_entry), 65536};
struct map_definition counters SECTION("maps") = {BPF_MAP_TYPE_PERCPU_ARRAY, sizeof(u32),
                                                  sizeof(u64), COUNTERS};

INLINE void count(u32 which) {
  u64 *value = map_lookup(&counters, &which);
  if (value)
    *value += 1;
}

INLINE int load(const struct __sk_buff *skb, u32 offset, void *to, u32 length) {
  return load_relative(skb, offset, to, length, BPF_HDR_START_NET);
}

INLINE void copy_address(u32 *to, const u32 *from, int words) {
  to[0] = from[0];
  if (words == 1)
    return;
  to[1] = from[1];
  to[2] = from[2];
  to[3] = from[3];
}

/* An ICMP error that says that a TCP segment reached nobody. */
INLINE int pass_icmp(const struct __sk_buff *skb, u32 offset) {
  u8 message[ICMP_QUOTED_IPV4];
  if (load(skb, offset, message, sizeof message))
    return 0;
  if (message[0] != ICMP_DEST_UNREACH && message[0] != ICMP_TIME_EXCEEDED)
    return 0;
  if (message[8 + 9] != IPPROTO_TCP)
    return 0;
  count(COUNT_ICMP);
  return offset + ICMP_SNAP_LENGTH;
}

INLINE int pass_icmpv6(const struct __sk_buff *skb, u32 offset) {
  u8 message[ICMP_QUOTED_IPV6];
  if (load(skb, offset, message, sizeof message))
    return 0;
  if (message[0] != ICMPV6_DEST_UNREACH && message[0] != ICMPV6_TIME_EXCEED)
    return 0;
  u8 next = message[8 + 6];
  if (next == IPPROTO_UDP || next == IPPROTO_ICMPV6)
    return 0;
  count(COUNT_ICMP);
  return offset + ICMP_SNAP_LENGTH;
}

INLINE int pass_fragment(u32 offset, u32 fragment) {
  if (fragment > FRAGMENT_OFFSET_MAX)
    return 0;
  count(COUNT_FRAGMENT);
  return offset + SNAP_LENGTH;
}

/* Too short for IPv6, or for IPv4 with a TCP header: all that matters of it is a fragment. */
INLINE int pass_short(const struct __sk_buff *skb, u32 offset, u16 protocol) {
  u8 ip[20] __attribute__((aligned(4)));
  if (protocol != htons(ETH_P_IP) || load(skb, offset, ip, sizeof ip))
    return 0;
  if ((ip[0] >> 4) != 4 || ip[9] != IPPROTO_TCP)
    return 0;
  u16 fragment = ntohs(*(u16 *)(ip + 6));
  if (!(fragment & (IPV4_MORE_FRAGMENTS | IPV4_FRAGMENT_OFFSET)))
    return 0;
  return pass_fragment(offset, fragment & IPV4_FRAGMENT_OFFSET);
}

INLINE int is_fit(const struct numbers *numbers, u32 sequence, u32 acknowledgment) {
  return acknowledgment == numbers->server_isn + 1 && sequence == numbers->client_next;
}

INLINE int is_near(const struct numbers *numbers, u32 sequence, u32 acknowledgment) {
  return sequence == numbers->client_next &&
         acknowledgment - numbers->server_isn - 1 < NEAR_BYTES;
}

/* Modulo 2^32: the server's ISN may be just below the wrap. */
INLINE int covers(const struct numbers *numbers, u32 acknowledgment) {
  return (s32)(acknowledgment - numbers->server_isn) >= 1;
}

INLINE void remember(const struct flow *flow, u32 server_isn, u32 client_next) {
  struct half_open_entry fresh = {.first = {server_isn, client_next}, .other = {server_isn, client_next}};
  if (map_update(&half_open, flow, &fresh, BPF_NOEXIST) == 0) {
    count(COUNT_REMEMBERED);
    return;
  }
  struct half_open_entry *entry = map_lookup(&half_open, flow);
  int is_same = entry && entry->first.server_isn == server_isn &&
                entry->first.client_next == client_next;
  if (entry && !is_same && !entry->fits) {
    entry->other = fresh.first;
    return;
  }
  if (entry && entry->fits)
    count(COUNT_REMEMBERED);
  map_update(&half_open, flow, &fresh, BPF_ANY);
}

SECTION("socket") int handshake_filter(struct __sk_buff *skb) {
  /* Loopback hands each packet over twice, first as sent, then as received. */
  if (skb->ifindex == LOOPBACK_INDEX && skb->pkt_type == PACKET_OUTGOING)
    return 0;

  u32 offset = 0;
  u16 protocol = skb->protocol;
  if (protocol == htons(ETH_P_8021Q) || protocol == htons(ETH_P_8021AD)) {
    /* One tag is taken out of the data before a filter runs. With two the inner one is at the start
     * of the network data (received), or the network header lies behind it already (sent), so look
     * whether an IP header follows. An IPv4 header taken for a tag would have to be 2048 bytes or
     * more of packet, which no handshake is. */
    u8 tag[VLAN_TAG_LENGTH + 1];
    if (load(skb, 0, tag, sizeof tag))
      return 0;
    u16 inner = *(u16 *)(tag + 2);
    u8 version = tag[VLAN_TAG_LENGTH] >> 4;
    if ((inner == htons(ETH_P_IP) && version == 4) ||
        (inner == htons(ETH_P_IPV6) && version == 6)) {
      offset = VLAN_TAG_LENGTH;
      protocol = inner;
    } else {
      protocol = (tag[0] >> 4) == 4 ? htons(ETH_P_IP) : htons(ETH_P_IPV6);
    }
  }

  /* An IPv6 header, or an IPv4 header without options and the TCP header behind it: both are 40
   * bytes, and no TCP segment is shorter. A load is 25 ns of the 88 that a SYN took with two. */
  u8 ip[40] __attribute__((aligned(4)));
  u8 tcp[20] __attribute__((aligned(4)));
  int is_tcp_loaded = 0;
  if (load(skb, offset, ip, sizeof ip))
    return pass_short(skb, offset, protocol);
  if (protocol == htons(ETH_P_IP)) {
    if ((ip[0] >> 4) != 4)
      return 0;
    u32 header_length = (ip[0] & 0xf) * 4;
    u16 fragment = ntohs(*(u16 *)(ip + 6)) & IPV4_FRAGMENT_OFFSET;
    if (ip[9] != IPPROTO_TCP) {
      if (ip[9] != IPPROTO_ICMP || fragment)
        return 0;
      return pass_icmp(skb, offset + header_length);
    }
    if (fragment)
      return pass_fragment(offset, fragment);
    offset += header_length;
    if ((ip[0] & 0xf) == 5) {
      __builtin_memcpy(tcp, ip + 20, sizeof tcp);
      is_tcp_loaded = 1;
    }
  } else if (protocol == htons(ETH_P_IPV6)) {
    if ((ip[0] >> 4) != 6)
      return 0;
    u8 next = ip[6];
    offset += 40;
#pragma unroll
    for (int i = 0; i < EXTENSION_HEADERS; i++) {
      u8 extension[4] __attribute__((aligned(4)));
      if (next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING || next == IPPROTO_DSTOPTS) {
        if (load(skb, offset, extension, 4))
          return 0;
        next = extension[0];
        offset += (extension[1] + 1) * 8;
      } else if (next == IPPROTO_FRAGMENT) {
        if (load(skb, offset, extension, 4))
          return 0;
        next = extension[0];
        u16 fragment = ntohs(*(u16 *)(extension + 2)) & IPV6_FRAGMENT_OFFSET;
        if (fragment && next != IPPROTO_TCP)
          return 0;
        if (fragment)
          return pass_fragment(offset, fragment >> IPV6_FRAGMENT_OFFSET_SHIFT);
        offset += 8;
      }
    }
    if (next == IPPROTO_ICMPV6)
      return pass_icmpv6(skb, offset);
    if (next != IPPROTO_TCP)
      return 0;
  } else {
    return 0;
  }

  /* Of a first fragment there may be less. */
  if (!is_tcp_loaded && load(skb, offset, tcp, sizeof tcp))
    return pass_short(skb, offset - (ip[0] & 0xf) * 4, protocol);
  u8 flags = tcp[13];
  u32 snap = offset + TCP_HEADER_MAX;
  if (snap < SNAP_LENGTH)
    snap = SNAP_LENGTH;

  if (flags & FLAG_RST) {
    count(COUNT_RST);
    return snap;
  }
  if ((flags & (FLAG_SYN | FLAG_ACK)) == FLAG_SYN) {
    count(COUNT_SYN);
    return snap;
  }
  if (!(flags & FLAG_ACK))
    return 0;

  struct flow flow = {.interface_index = skb->ifindex};
  u16 source_port = *(u16 *)tcp, destination_port = *(u16 *)(tcp + 2);
  u32 sequence = ntohl(*(u32 *)(tcp + 4)), acknowledgment = ntohl(*(u32 *)(tcp + 8));
  int from_server = (flags & FLAG_SYN) != 0;
  flow.client_port = from_server ? destination_port : source_port;
  flow.server_port = from_server ? source_port : destination_port;
  if (protocol == htons(ETH_P_IP)) {
    copy_address(from_server ? flow.server : flow.client, (u32 *)(ip + 12), 1);
    copy_address(from_server ? flow.client : flow.server, (u32 *)(ip + 16), 1);
  } else {
    copy_address(from_server ? flow.server : flow.client, (u32 *)(ip + 8), 4);
    copy_address(from_server ? flow.client : flow.server, (u32 *)(ip + 24), 4);
  }

  if (from_server) {
    remember(&flow, sequence, acknowledgment);
    count(COUNT_SYN_ACK);
    return snap;
  }
  struct half_open_entry *entry = map_lookup(&half_open, &flow);
  if (!entry ||
      (!covers(&entry->first, acknowledgment) && !covers(&entry->other, acknowledgment))) {
    count(COUNT_OTHER_ACK);
    return 0;
  }
  int fits = is_fit(&entry->first, sequence, acknowledgment) ||
             is_fit(&entry->other, sequence, acknowledgment);
  int is_done = 0, passes;
  if (fits) {
    if (!entry->fits)
      count(COUNT_FORGOTTEN);
    entry->fits += 1;
    passes = 1;
    is_done = entry->fits >= FIT_PASSES || (entry->fits > 1 && (flags & FLAG_FIN));
  } else if (is_near(&entry->first, sequence, acknowledgment) ||
             is_near(&entry->other, sequence, acknowledgment)) {
    entry->nears += 1;
    /* A client that only receives never sends anything else: a few pass, then it is bulk traffic. */
    passes = !entry->fits || entry->nears < FIT_PASSES;
    is_done = entry->nears >= (entry->fits ? FIT_PASSES : NEAR_PASSES);
    if (is_done && !entry->fits)
      count(COUNT_FORGOTTEN);
  } else if (entry->fits) {
    entry->later += 1;
    passes = 0;
    is_done = entry->later >= FAR_PASSES || (flags & FLAG_FIN);
  } else {
    passes = entry->fars < FAR_PASSES;
    if (passes)
      entry->fars += 1;
  }
  if (is_done)
    map_delete(&half_open, &flow);
  if (!passes) {
    count(COUNT_OTHER_ACK);
    return 0;
  }
  count(fits ? COUNT_COMPLETING_ACK : COUNT_UNFIT_ACK);
  return snap;
}

/* No helper in use asks for a GPL-compatible licence; the kernel knows this name as one. */
char filter_license[] SECTION("license") = "Dual MIT/GPL";

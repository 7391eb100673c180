// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * handshake_filter: a socket filter that passes the packets of TCP handshakes and nothing else.
 *
 * For   an AF_PACKET socket of type SOCK_DGRAM (offset 0 is the network header), attached with
 *       SO_ATTACH_BPF before the socket is bound.
 * Shows SYN, SYN-ACK and RST always; of the segments that only acknowledge, those that may complete
 *       a handshake; ICMP errors that quote a TCP segment; fragments that may hold a TCP header.
 *       Established traffic costs one map lookup in the kernel and nothing above it.
 * How   A SYN-ACK leaves an entry in `half_open`, under a hash of interface and client-to-server tuple.
 *       A later segment with the ACK flag passes when the entry of its direction exists and its
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
 *       RST takes no entry along; what it leaves behind goes when it is the oldest of its set.
 * Table `half_open` is an array of sets of WAYS entries, of fixed size: 3.8 MB for 131,072 entries.
 *       The hash tells the set, and a new entry takes the place of the set's oldest. If that was of a
 *       flow still half-open, a later ACK of it is missed, and COUNT_GIVEN_UP says so. At 70,000 SYNs a
 *       second an ACK that is 100 ms late is missed once in fifty million times, one that is 500 ms
 *       late once in 600. The keys of the hash are secret and new with each loading, so that nobody can
 *       choose addresses and ports that meet in one set. An entry is known by the 64 bits of its hash:
 *       flows that share them, at the most one pair in 2^32, are one flow to the filter.
 * Cost  60 ns a packet, 65 ns a SYN-ACK; 85 and 90 ns over IPv6. Of the 37,800 instructions of a
 *       connect() on loopback, with all that runs inside it, 1,700; the socket alone takes 3,700.
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
/* How often a SYN-ACK tries to get at a set at which another CPU is, for tens of nanoseconds. */
#define ATTEMPTS 4
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

/* The loader writes a number of 64 bits wherever the address of such a variable is loaded, so that it
 * is a constant to the program. */
#define CONSTANT(name) ((u64)&name)
/* How many sets `half_open` has. */
extern char half_open_sets;
/* The keys of the hash, at random. */
extern char secret_interface, secret_ports, secret_ipv6;
extern char secret_client_0, secret_client_1, secret_client_2, secret_client_3;
extern char secret_server_0, secret_server_1, secret_server_2, secret_server_3;

/* What a SYN-ACK announced. */
struct numbers {
  u32 server_isn;
  u32 client_next; /* the Seq of the third packet: what the SYN-ACK acknowledged */
};

struct half_open_entry {
  struct numbers first, other; /* `other` is `first` as long as there is none */
  u8 fits, nears, fars;        /* segments passed, or met when no more passed, by their numbers */
  u8 later;                    /* segments met after one that fitted */
};

/* Entries of a set. An order of them has four bits for each, from the youngest's, which are the lowest,
 * to the oldest's. */
#define WAYS 8
#define OLDEST (4 * (WAYS - 1))
#define FIRST_ORDER 0x76543210

struct half_open_set {
  u64 flows[WAYS]; /* hashes; 0 for an entry that is free */
  struct half_open_entry entries[WAYS];
  u32 inside; /* how many CPUs are here to write */
  u32 order;  /* 0 for FIRST_ORDER; what is free is the oldest */
};

/* The order is that of COUNTERS in src/linux/capture/handshake_filter.ts. */
enum counter {
  COUNT_SYN,
  COUNT_SYN_ACK,
  COUNT_COMPLETING_ACK, /* passed, with the third packet's numbers */
  COUNT_UNFIT_ACK,      /* passed, with others, or while another CPU wrote to the set */
  COUNT_OTHER_ACK,      /* not passed: no half-open entry, or the server's ISN not covered */
  COUNT_RST,
  COUNT_GIVEN_UP, /* half-open flows whose entry another has taken, or that got none */
  COUNT_ICMP,     /* ICMP errors passed */
  COUNT_FRAGMENT, /* fragments passed that may hold a part of a TCP header */
  COUNTERS,
};

struct map_definition {
  u32 type, key_size, value_size, max_entries;
};

struct map_definition half_open SECTION("maps") = {
    BPF_MAP_TYPE_ARRAY, sizeof(u32), sizeof(struct half_open_set), 16384};
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

/* A word of both ends' addresses, the client's times one key and the server's times another. */
INLINE u64 hash_word(const u8 *source, const u8 *destination, int from_server, u64 client_key,
                     u64 server_key) {
  u32 from = *(u32 *)source, to = *(u32 *)destination;
  return from_server ? to * client_key + from * server_key : from * client_key + to * server_key;
}

/* One direction of a connection on one interface as a number other than 0: a host may forward the
 * same tuple over several, and each copy is a packet of its own. The sum is a universal hash (Carter and
 * Wegman): whatever two flows somebody chooses, of the keys that there may be one in 2^32 at the most
 * gives both the same. It is stirred, which loses nothing: sums of neighbours are evenly spaced. */
INLINE u64 hash_flow(u32 interface_index, u16 protocol, const u8 *ip, const u8 *tcp,
                     int from_server) {
  u32 ports = *(u32 *)tcp;
  if (from_server)
    ports = ports << 16 | ports >> 16;
  u64 sum = interface_index * CONSTANT(secret_interface) + ports * CONSTANT(secret_ports);
#define WORD(offset, bytes, index)                                                                  \
  hash_word(ip + (offset) + 4 * (index), ip + (offset) + (bytes) + 4 * (index), from_server,         \
            CONSTANT(secret_client_##index), CONSTANT(secret_server_##index))
  if (protocol == htons(ETH_P_IP))
    sum += WORD(12, 4, 0);
  else
    sum += CONSTANT(secret_ipv6) + WORD(8, 16, 0) + WORD(8, 16, 1) + WORD(8, 16, 2) + WORD(8, 16, 3);
#undef WORD
  sum ^= sum >> 32;
  return sum * 0x9e3779b97f4a7c15 | 1;
}

/* The way of a flow's entry; WAYS when it has none. */
INLINE u32 find(const struct half_open_set *set, u64 flow) {
#pragma unroll
  for (u32 way = 0; way < WAYS; way++)
    if (set->flows[way] == flow)
      return way;
  return WAYS;
}

/* Whether this CPU alone may write, until it leaves, which it does in either case. Before Linux 5.12 no
 * atomic operation returns anything; but of those inside at once one at the most has read 1. */
INLINE int enter(struct half_open_set *set) {
  __sync_fetch_and_add(&set->inside, 1);
  return *(volatile u32 *)&set->inside == 1;
}

INLINE void leave(struct half_open_set *set) {
  __sync_fetch_and_add(&set->inside, -1);
}

/* The order without a way, which is then to be put in at either end. */
INLINE u32 order_without(u32 order, u32 way) {
  u32 bits = 0;
#pragma unroll
  for (int younger = 0; younger < WAYS - 1; younger++) {
    if ((order >> bits & 0xf) == way)
      break;
    bits += 4;
  }
  return (order & ((1 << bits) - 1)) | order >> bits >> 4 << bits;
}

/* Frees an entry: the next one made in the set takes its place. */
INLINE void forget(struct half_open_set *set, u32 way) {
  set->flows[way] = 0;
  set->order = order_without(set->order, way) | way << OLDEST;
}

INLINE void remember(struct half_open_set *set, u64 flow, struct numbers numbers) {
  struct half_open_entry entry = {.first = numbers, .other = numbers};
  u32 order = set->order ? set->order : FIRST_ORDER;
  u32 way = find(set, flow);
  if (way < WAYS) {
    const struct half_open_entry *known = &set->entries[way];
    if (!known->fits && (known->first.server_isn != numbers.server_isn ||
                         known->first.client_next != numbers.client_next)) {
      entry = *known;
      entry.other = numbers;
    }
    order = order_without(order, way);
  } else {
    way = order >> OLDEST & (WAYS - 1);
    if (set->flows[way] && !set->entries[way].fits)
      count(COUNT_GIVEN_UP);
    order &= (1 << OLDEST) - 1;
  }
  set->entries[way] = entry;
  set->flows[way] = flow;
  set->order = order << 4 | way;
}

/* What a segment is that may complete a half-open flow. */
INLINE enum counter judge(struct half_open_set *set, u32 way, u8 flags, u32 sequence,
                          u32 acknowledgment) {
  struct half_open_entry *entry = &set->entries[way];
  if (!covers(&entry->first, acknowledgment) && !covers(&entry->other, acknowledgment))
    return COUNT_OTHER_ACK;
  enum counter verdict = COUNT_UNFIT_ACK;
  int is_done = 0;
  if (is_fit(&entry->first, sequence, acknowledgment) ||
      is_fit(&entry->other, sequence, acknowledgment)) {
    entry->fits += 1;
    verdict = COUNT_COMPLETING_ACK;
    is_done = entry->fits >= FIT_PASSES || (entry->fits > 1 && (flags & FLAG_FIN));
  } else if (is_near(&entry->first, sequence, acknowledgment) ||
             is_near(&entry->other, sequence, acknowledgment)) {
    entry->nears += 1;
    /* A client that only receives never sends anything else: a few pass, then it is bulk traffic. */
    if (entry->fits && entry->nears >= FIT_PASSES)
      verdict = COUNT_OTHER_ACK;
    is_done = entry->nears >= (entry->fits ? FIT_PASSES : NEAR_PASSES);
  } else if (entry->fits) {
    entry->later += 1;
    verdict = COUNT_OTHER_ACK;
    is_done = entry->later >= FAR_PASSES || (flags & FLAG_FIN);
  } else if (entry->fars < FAR_PASSES) {
    entry->fars += 1;
  } else {
    verdict = COUNT_OTHER_ACK;
  }
  if (is_done)
    forget(set, way);
  return verdict;
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

  u32 sequence = ntohl(*(u32 *)(tcp + 4)), acknowledgment = ntohl(*(u32 *)(tcp + 8));
  int from_server = (flags & FLAG_SYN) != 0;
  u64 flow = hash_flow(skb->ifindex, protocol, ip, tcp, from_server);
  u32 index = (flow >> 32) * CONSTANT(half_open_sets) >> 32;
  struct half_open_set *set = map_lookup(&half_open, &index);
  if (!set)
    return 0;

  if (from_server) {
    int alone = enter(set);
#pragma unroll
    for (int attempt = 1; attempt < ATTEMPTS; attempt++) {
      if (alone)
        break;
      leave(set);
      alone = enter(set);
    }
    if (alone)
      remember(set, flow, (struct numbers){sequence, acknowledgment});
    else
      count(COUNT_GIVEN_UP);
    leave(set);
    count(COUNT_SYN_ACK);
    return snap;
  }

  enum counter verdict = COUNT_OTHER_ACK;
  u32 way = find(set, flow);
  if (way < WAYS) {
    /* Where another CPU writes, this segment passes and takes nothing along. */
    verdict = COUNT_UNFIT_ACK;
    if (enter(set) && set->flows[way] == flow)
      verdict = judge(set, way, flags, sequence, acknowledgment);
    leave(set);
  }
  count(verdict);
  return verdict == COUNT_OTHER_ACK ? 0 : snap;
}

/* No helper in use asks for a GPL-compatible licence; the kernel knows this name as one. */
char filter_license[] SECTION("license") = "Dual MIT/GPL";

/*
 * syn_flood INTERFACE MAC ADDRESS PORT SYNS CONNECTIONS PER_SECOND
 *
 * Sends SYNS SYNs from made-up sources in 198.18.0.0/15 (RFC 2544, for tests of this kind) to
 * ADDRESS:PORT, out of INTERFACE to the Ethernet address MAC, at most PER_SECOND of them a second,
 * and at even distances among them makes CONNECTIONS real connections there, which it resets. No
 * two SYNs have the same source, port and number. Prints "P%" for every twentieth part and at the
 * end how many SYNs were sent and how many connects succeeded.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH 50
#define PARTS 20
#define SOURCES_FROM 0xc6120000u /* 198.18.0.0 */
#define SOURCES 131072u          /* a /15 */
#define PORTS_FROM 1024

struct frame {
  struct ether_header ethernet;
  uint8_t ip[20];
  uint8_t tcp[24]; /* with an MSS option */
} __attribute__((packed));

static struct frame frames[BATCH];
static struct iovec pieces[BATCH];
static struct mmsghdr messages[BATCH];
static struct sockaddr_in server;

static void put16(uint8_t *at, uint32_t value) {
  at[0] = value >> 8;
  at[1] = value;
}

static void put32(uint8_t *at, uint32_t value) {
  put16(at, value >> 16);
  put16(at + 2, value);
}

/* RFC 1071, on from a sum already made. */
static uint16_t checksum(uint32_t sum, const uint8_t *bytes, int length) {
  for (int at = 0; at < length; at += 2) sum += bytes[at] << 8 | bytes[at + 1];
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum;
}

/* The frame of the SYN with this number: its source, port and sequence number follow from it. */
static void build(struct frame *frame, uint32_t number) {
  uint8_t *ip = frame->ip, *tcp = frame->tcp;
  memset(ip, 0, sizeof frame->ip);
  memset(tcp, 0, sizeof frame->tcp);
  ip[0] = 0x45;
  put16(ip + 2, sizeof frame->ip + sizeof frame->tcp);
  ip[8] = 64;
  ip[9] = IPPROTO_TCP;
  put32(ip + 12, SOURCES_FROM + number % SOURCES);
  put32(ip + 16, ntohl(server.sin_addr.s_addr));
  put16(ip + 10, checksum(0, ip, sizeof frame->ip));
  put16(tcp, PORTS_FROM + number / SOURCES);
  put16(tcp + 2, ntohs(server.sin_port));
  put32(tcp + 4, number * 2654435761u);
  tcp[12] = sizeof frame->tcp / 4 << 4;
  tcp[13] = 0x02; /* SYN */
  put16(tcp + 14, 64240);
  put32(tcp + 20, 0x020405b4); /* MSS 1460 */
  uint32_t pseudo = IPPROTO_TCP + sizeof frame->tcp;
  for (int at = 12; at < 20; at += 2) pseudo += ip[at] << 8 | ip[at + 1];
  put16(tcp + 16, checksum(pseudo, tcp, sizeof frame->tcp));
}

static int connect_once(void) {
  int client = socket(AF_INET, SOCK_STREAM, 0);
  int connected = connect(client, (struct sockaddr *)&server, sizeof server) == 0;
  if (!connected) perror("syn_flood: connect");
  /* A reset leaves no TIME_WAIT. */
  struct linger linger = {.l_onoff = 1, .l_linger = 0};
  setsockopt(client, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
  close(client);
  return connected;
}

/* Waits until so many SYNs may have been sent since the beginning. */
static void pace(const struct timespec *began, long sent, long per_second) {
  struct timespec due = *began;
  long long ns = due.tv_nsec + sent * 1000000000LL / per_second;
  due.tv_sec += ns / 1000000000;
  due.tv_nsec = ns % 1000000000;
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
}

int main(int argc, char **argv) {
  unsigned mac[6];
  struct sockaddr_ll to = {.sll_family = AF_PACKET};
  server.sin_family = AF_INET;
  if (
    argc != 8 || (to.sll_ifindex = if_nametoindex(argv[1])) == 0 ||
    sscanf(argv[2], "%x:%x:%x:%x:%x:%x", mac, mac + 1, mac + 2, mac + 3, mac + 4, mac + 5) != 6 ||
    inet_pton(AF_INET, argv[3], &server.sin_addr) != 1
  ) {
    fprintf(
      stderr, "usage: syn_flood INTERFACE MAC ADDRESS PORT SYNS CONNECTIONS PER_SECOND\n");
    return 2;
  }
  server.sin_port = htons(atoi(argv[4]));
  long syns = atol(argv[5]), connections = atol(argv[6]), per_second = atol(argv[7]);

  int raw = socket(AF_PACKET, SOCK_RAW, 0);
  if (raw < 0 || bind(raw, (struct sockaddr *)&to, sizeof to) != 0) {
    perror("syn_flood: AF_PACKET");
    return 1;
  }
  for (int at = 0; at < BATCH; at++) {
    for (int byte = 0; byte < 6; byte++) frames[at].ethernet.ether_dhost[byte] = mac[byte];
    frames[at].ethernet.ether_shost[0] = 2;
    frames[at].ethernet.ether_type = htons(ETHERTYPE_IP);
    pieces[at] = (struct iovec){&frames[at], sizeof frames[at]};
    messages[at].msg_hdr.msg_iov = &pieces[at];
    messages[at].msg_hdr.msg_iovlen = 1;
  }

  struct timespec began;
  clock_gettime(CLOCK_MONOTONIC, &began);
  long sent = 0, tried = 0, connected = 0, parts = 0;
  while (sent < syns) {
    int count = syns - sent < BATCH ? syns - sent : BATCH;
    for (int at = 0; at < count; at++) build(&frames[at], sent + at);
    for (int at = 0; at < count;) {
      int passed = sendmmsg(raw, messages + at, count - at, 0);
      if (passed < 0) {
        perror("syn_flood: sendmmsg");
        return 1;
      }
      at += passed;
    }
    sent += count;
    for (; tried < connections * sent / syns; tried++) connected += connect_once();
    for (; parts < PARTS * sent / syns; parts++) {
      printf("%ld%%\n", (parts + 1) * 100 / PARTS);
      fflush(stdout);
    }
    pace(&began, sent, per_second);
  }
  printf("%ld %ld\n", sent, connected);
  return 0;
}

/*
 * packet_load INTERFACE RATE COUNT handshakes
 * packet_load INTERFACE RATE COUNT syns MAC ADDRESS PORT CLIENT
 *
 * Sends synthetic frames out of INTERFACE, COUNT of them or of handshakes, RATE a second (0: as fast as
 * it can), and prints how many and the nanoseconds they took. COUNT with an "s" behind it, such as 10s,
 * is seconds: as many as there is time for.
 *   handshakes  SYN, SYN-ACK and ACK of COUNT connections between addresses that nobody has
 *   syns        COUNT SYNs to ADDRESS:PORT (IPv4) at MAC from CLIENT and the addresses after it, 50,000
 *               from each, each from another port
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define SYN 0x02
#define ACK 0x10
#define BATCH 96 /* frames handed to the kernel at once; a multiple of three */
#define FRAME_MAX 128
#define IP_LENGTH 20
#define TCP_LENGTH 20
#define OPTIONS_SYN 20
#define OPTIONS_ACK 12
#define CLIENT_PORTS 50000
#define CLIENT_PORT_FIRST 1024

static uint8_t to_mac[6] = {2, 0, 0, 0, 0, 9};
static uint32_t first_client = 0x0a000001; /* 10.0.0.1 */
static uint32_t server = 0x0a800001;       /* 10.128.0.1 */
static uint16_t server_port = 443;

static long long now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void put16(uint8_t *at, uint16_t value) {
  at[0] = value >> 8;
  at[1] = value;
}

static void put32(uint8_t *at, uint32_t value) {
  put16(at, value >> 16);
  put16(at + 2, value);
}

/* RFC 1071, over an even number of bytes. */
static uint16_t checksum(uint32_t sum, const uint8_t *bytes, int length) {
  for (int at = 0; at < length; at += 2) sum += bytes[at] << 8 | bytes[at + 1];
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum;
}

static int build(uint8_t *frame, int from_client, uint32_t client, uint16_t client_port,
                 uint32_t sequence, uint32_t acknowledgment, uint8_t flags) {
  int options = flags & SYN ? OPTIONS_SYN : OPTIONS_ACK;
  int tcp_length = TCP_LENGTH + options;
  memset(frame, 0, FRAME_MAX);
  memcpy(frame, to_mac, 6);
  frame[6] = 2;
  frame[11] = 8;
  put16(frame + 12, ETH_P_IP);
  uint8_t *ip = frame + ETH_HLEN, *tcp = ip + IP_LENGTH;
  ip[0] = 0x45;
  put16(ip + 2, IP_LENGTH + tcp_length);
  ip[8] = 64;
  ip[9] = IPPROTO_TCP;
  put32(ip + 12, from_client ? client : server);
  put32(ip + 16, from_client ? server : client);
  put16(ip + 10, checksum(0, ip, IP_LENGTH));
  put16(tcp, from_client ? client_port : server_port);
  put16(tcp + 2, from_client ? server_port : client_port);
  put32(tcp + 4, sequence);
  put32(tcp + 8, acknowledgment);
  tcp[12] = tcp_length / 4 << 4;
  tcp[13] = flags;
  put16(tcp + 14, 64240);
  memset(tcp + TCP_LENGTH, 1, options);
  uint32_t pseudo = IPPROTO_TCP + tcp_length + (client >> 16) + (client & 0xffff) + (server >> 16) + (server & 0xffff);
  put16(tcp + 16, checksum(pseudo, tcp, tcp_length));
  return ETH_HLEN + IP_LENGTH + tcp_length;
}

static int open_socket(const char *interface) {
  struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_ifindex = if_nametoindex(interface)};
  int fd = socket(AF_PACKET, SOCK_RAW, 0), on = 1;
  setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof on);
  if (bind(fd, (struct sockaddr *)&address, sizeof address)) {
    perror("packet_load: bind");
    exit(1);
  }
  return fd;
}

static void send_all(int fd, struct mmsghdr *messages, int count) {
  for (int sent = 0; sent < count;) {
    int now = sendmmsg(fd, messages + sent, count - sent, 0);
    if (now > 0) sent += now;
    else if (errno != ENOBUFS && errno != EAGAIN) {
      perror("packet_load: sendmmsg");
      exit(1);
    }
  }
}

static void wait_until(long long due_ns) {
  for (long long left_ns; (left_ns = due_ns - now_ns()) > 0;) {
    /* The last stretch is spun: a sleep ends late. */
    struct timespec nap = {.tv_nsec = left_ns - 60000};
    if (left_ns > 100000) nanosleep(&nap, NULL);
  }
}

int main(int argc, char **argv) {
  int handshakes = argc == 5 && strcmp(argv[4], "handshakes") == 0;
  int syns = argc == 9 && strcmp(argv[4], "syns") == 0;
  unsigned mac[6];
  struct in_addr address, client_address;
  if (syns && (sscanf(argv[5], "%x:%x:%x:%x:%x:%x", mac, mac + 1, mac + 2, mac + 3, mac + 4, mac + 5) != 6 ||
               inet_pton(AF_INET, argv[6], &address) != 1 || inet_pton(AF_INET, argv[8], &client_address) != 1))
    syns = 0;
  if (!handshakes && !syns) {
    fprintf(stderr, "usage: packet_load INTERFACE RATE COUNT handshakes | syns MAC ADDRESS PORT CLIENT\n");
    return 2;
  }
  if (syns) {
    for (int byte = 0; byte < 6; byte++) to_mac[byte] = mac[byte];
    server = ntohl(address.s_addr);
    server_port = atoi(argv[7]);
    first_client = ntohl(client_address.s_addr);
  }
  double rate = atof(argv[2]);
  char *unit;
  long count = strtol(argv[3], &unit, 10);
  long long until_ns = LLONG_MAX;
  int fd = open_socket(argv[1]);

  static uint8_t frames[BATCH][FRAME_MAX];
  struct iovec parts[BATCH];
  struct mmsghdr messages[BATCH] = {0};
  for (int at = 0; at < BATCH; at++) {
    parts[at].iov_base = frames[at];
    messages[at].msg_hdr.msg_iov = &parts[at];
    messages[at].msg_hdr.msg_iovlen = 1;
  }
  uint32_t isn = now_ns();
  long long began_ns = now_ns();
  if (*unit == 's') {
    until_ns = began_ns + count * 1000000000LL;
    count = LONG_MAX;
  }
  long made = 0;
  while (made < count && now_ns() < until_ns) {
    if (rate > 0) wait_until(began_ns + (long long)(made / rate * 1e9));
    int at = 0;
    for (; made < count && at < BATCH; made++) {
      uint32_t client = first_client + made / CLIENT_PORTS;
      uint16_t port = CLIENT_PORT_FIRST + made % CLIENT_PORTS;
      isn = isn * 1664525 + 1013904223;
      uint32_t server_isn = isn ^ 0x5bd1e995;
      parts[at].iov_len = build(frames[at], 1, client, port, isn, 0, SYN);
      at++;
      if (!handshakes) continue;
      parts[at].iov_len = build(frames[at], 0, client, port, server_isn, isn + 1, SYN | ACK);
      at++;
      parts[at].iov_len = build(frames[at], 1, client, port, isn + 1, server_isn + 1, ACK);
      at++;
    }
    send_all(fd, messages, at);
  }
  printf("%ld %lld\n", made, now_ns() - began_ns);
  return 0;
}

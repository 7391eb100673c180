/*
 * connect_load ADDRESS PORT COUNT [--serve | --connect] [COMM]
 *
 * Listens on ADDRESS:PORT, connects there COUNT times one after another as fast as it can, accepts
 * and resets each, and prints how many connects succeeded, how many nanoseconds all took, how many of
 * CPU time, and how many were accepted. With --serve it only listens and accepts, says "ready" first and
 * how many were accepted at its end; with --connect it only connects. COMM becomes the command name of
 * every thread; any bytes.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* Once in some hundred thousand connections a reset overtakes the ACK, on another processor: connect()
 * has succeeded, and accept() never hears of it. */
#define PATIENCE_S 10

static int listener;
static volatile int all_tried;
static long count, accepted;
static struct sockaddr_storage address;
static socklen_t length;

/* A reset leaves no TIME_WAIT, so that ports never run out. */
static void reset(int socket) {
  struct linger linger = {.l_onoff = 1, .l_linger = 0};
  setsockopt(socket, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
  close(socket);
}

static void *serve(void *unused) {
  (void)unused;
  while (accepted < count) {
    int socket = accept(listener, NULL, NULL);
    if (socket < 0) {
      /* Nobody came for long: before the first that is no fault. */
      if (errno == EAGAIN && accepted == 0 && !all_tried) continue;
      break;
    }
    accepted++;
    char byte;
    /* The client closes first: its reset must not overtake the handshake's end. */
    (void)!read(socket, &byte, 1);
    reset(socket);
  }
  return NULL;
}

static int start_listening(void) {
  listener = socket(address.ss_family, SOCK_STREAM, 0);
  int on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  struct timeval patience = {.tv_sec = PATIENCE_S};
  setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  if (bind(listener, (struct sockaddr *)&address, length) == 0 && listen(listener, 4096) == 0) return 1;
  perror("connect_load: listen");
  return 0;
}

static long connect_all(void) {
  long connected = 0;
  for (long tried = 0; tried < count; tried++) {
    int client = socket(address.ss_family, SOCK_STREAM, 0);
    if (connect(client, (struct sockaddr *)&address, length) == 0) connected++;
    else perror("connect_load: connect");
    reset(client);
  }
  return connected;
}

static long long now_ns(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static int parse_address(const char *text, int port) {
  struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&address;
  struct sockaddr_in *v4 = (struct sockaddr_in *)&address;
  if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    length = sizeof *v6;
    return 1;
  }
  v4->sin_family = AF_INET;
  v4->sin_port = htons(port);
  length = sizeof *v4;
  return inet_pton(AF_INET, text, &v4->sin_addr) == 1;
}

int main(int argc, char **argv) {
  if (argc < 4 || !parse_address(argv[1], atoi(argv[2]))) {
    fprintf(stderr, "usage: connect_load ADDRESS PORT COUNT [--serve | --connect] [COMM]\n");
    return 2;
  }
  count = atol(argv[3]);
  int only_serve = argc > 4 && strcmp(argv[4], "--serve") == 0;
  int only_connect = argc > 4 && strcmp(argv[4], "--connect") == 0;
  int comm = only_serve || only_connect ? 5 : 4;
  if (argc > comm) prctl(PR_SET_NAME, argv[comm]);

  if (!only_connect && !start_listening()) return 1;
  if (only_serve) {
    puts("ready");
    fflush(stdout);
    serve(NULL);
    printf("%ld\n", accepted);
    return 0;
  }
  pthread_t server;
  if (!only_connect) pthread_create(&server, NULL, serve, NULL);
  long long began_ns = now_ns(CLOCK_MONOTONIC), cpu_began_ns = now_ns(CLOCK_PROCESS_CPUTIME_ID);
  long connected = connect_all();
  all_tried = 1;
  long long took_ns = now_ns(CLOCK_MONOTONIC) - began_ns;
  if (!only_connect && connected == count) pthread_join(server, NULL);
  long long cpu_ns = now_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu_began_ns;
  printf("%ld %lld %lld %ld\n", connected, took_ns, cpu_ns, accepted);
  return connected == count ? 0 : 1;
}

/*
 * paced_connect ADDRESS PORT RATE COUNT
 *
 * Connects to ADDRESS:PORT (IPv4) COUNT times, RATE times a second, resets each connection, and prints
 *   connected  elapsed_ns  median_ns  p99_ns
 * the last two of the time that connect() took. A connection that falls behind its time is made at once.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static long long now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void wait_until(long long due_ns) {
  struct timespec due = {.tv_sec = due_ns / 1000000000, .tv_nsec = due_ns % 1000000000};
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
}

static int ascending(const void *a, const void *b) {
  long long x = *(const long long *)a, y = *(const long long *)b;
  return (x > y) - (x < y);
}

int main(int argc, char **argv) {
  struct sockaddr_in address = {.sin_family = AF_INET};
  if (argc != 5 || inet_pton(AF_INET, argv[1], &address.sin_addr) != 1) {
    fprintf(stderr, "usage: paced_connect ADDRESS PORT RATE COUNT\n");
    return 2;
  }
  address.sin_port = htons(atoi(argv[2]));
  double interval_ns = 1e9 / atof(argv[3]);
  long count = atol(argv[4]), connected = 0;
  long long *took_ns = calloc(count, sizeof *took_ns);
  /* A timer may else be 50 us late. */
  prctl(PR_SET_TIMERSLACK, 1);

  long long began_ns = now_ns();
  for (long tried = 0; tried < count; tried++) {
    wait_until(began_ns + (long long)(tried * interval_ns));
    int client = socket(AF_INET, SOCK_STREAM, 0);
    long long before_ns = now_ns();
    int failed = connect(client, (struct sockaddr *)&address, sizeof address);
    long long after_ns = now_ns();
    if (failed) perror("paced_connect: connect");
    else took_ns[connected++] = after_ns - before_ns;
    /* A reset leaves no TIME_WAIT, so that ports never run out. */
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    setsockopt(client, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    close(client);
  }
  long long elapsed_ns = now_ns() - began_ns;
  qsort(took_ns, connected, sizeof *took_ns, ascending);
  if (connected > 0)
    printf("%ld %lld %lld %lld\n", connected, elapsed_ns, took_ns[connected / 2], took_ns[connected * 99 / 100]);
  return connected == count ? 0 : 1;
}

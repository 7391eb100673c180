/**
 * What is measured and how it is called: one row a metric, its name for Prometheus and for OpenTelemetry
 * beside each other, so that a rename is one line.
 *
 * Names of OpenTelemetry's `system.network.tcp` follow its proposal (semantic-conventions issue 3682, in
 * development); what it has no name for begins with `synsnoop.`.
 *
 * @module
 */

/** Labels of Prometheus, and the attributes of OpenTelemetry that are the same. */
export const LABELS = {
  server_address: "server.address",
  server_port: "server.port",
  role: "network.tcp.handshake.role",
  outcome: "synsnoop.outcome",
  reason: "error.type",
  packet: "synsnoop.packet",
  place: "synsnoop.place",
  source: "synsnoop.source",
  state: "synsnoop.state",
  process: "process.executable.name",
  cgroup: "process.linux.cgroup",
  version: "service.version",
} as const;

/** The name of a label. */
export type LabelName = keyof typeof LABELS;

/** The labels that each server has; `process` and `cgroup` only where they are asked for. */
export type Labels = Readonly<Partial<Record<LabelName, string>>>;

/** How a metric is called and what it means. */
export interface MetricName {
  /** Without the `_total` of a counter. */
  prometheus: string;
  /** Absent: it is not pushed, since OpenTelemetry tells it in another way. */
  opentelemetry?: string;
  kind: "counter" | "gauge" | "histogram";
  /** The unit in the name of Prometheus, where it has one. */
  unit?: "seconds" | "bytes";
  /** The unit of OpenTelemetry (UCUM). */
  ucum: string;
  help: string;
}

/** The metrics, by what the code calls them. */
export const METRICS = {
  handshakes: {
    prometheus: "synsnoop_handshakes",
    opentelemetry: "synsnoop.tcp.handshakes",
    kind: "counter",
    ucum: "{handshake}",
    help:
      "TCP handshakes by how they ended; reason is the errno, the ICMP code or the kernel's reason",
  },
  networkRtt: {
    prometheus: "synsnoop_network_rtt_seconds",
    opentelemetry: "synsnoop.tcp.handshake.network_rtt",
    kind: "histogram",
    unit: "seconds",
    ucum: "s",
    help:
      "Round trip through the network, without time of this host: SYN to SYN-ACK as a client, " +
      "SYN-ACK to ACK as a server, both together where neither or both ends are here",
  },
  hostTime: {
    prometheus: "synsnoop_host_time_seconds",
    opentelemetry: "synsnoop.tcp.handshake.host_time",
    kind: "histogram",
    unit: "seconds",
    ucum: "s",
    help: "Time this host took: SYN-ACK to ACK as a client, SYN to SYN-ACK as a server",
  },
  duration: {
    prometheus: "synsnoop_handshake_duration_seconds",
    opentelemetry: "system.network.tcp.handshake.duration",
    kind: "histogram",
    unit: "seconds",
    ucum: "s",
    help: "First SYN to the ACK that completed the handshake",
  },
  retransmissions: {
    prometheus: "synsnoop_retransmissions",
    opentelemetry: "synsnoop.tcp.handshake.retransmissions",
    kind: "counter",
    ucum: "{packet}",
    help: "SYNs and SYN-ACKs that were captured again",
  },
  acceptQueueDrops: {
    prometheus: "synsnoop_accept_queue_drops",
    opentelemetry: "synsnoop.tcp.handshake.accept_queue_drops",
    kind: "counter",
    ucum: "{handshake}",
    help: "Handshakes of which this host dropped a packet because the accept queue was full",
  },
  halfOpen: {
    prometheus: "synsnoop_half_open_handshakes",
    opentelemetry: "synsnoop.tcp.handshakes.half_open",
    kind: "gauge",
    ucum: "{handshake}",
    help: "Handshakes under way now",
  },
  lost: {
    prometheus: "synsnoop_lost",
    opentelemetry: "synsnoop.lost",
    kind: "counter",
    ucum: "1",
    help: "What the tool lost, by place: 0 is a claim that was counted, an absent place was not",
  },
  setAside: {
    prometheus: "synsnoop_set_aside",
    opentelemetry: "synsnoop.set_aside",
    kind: "counter",
    ucum: "1",
    help: "What came and decided nothing, by place: no loss",
  },
  sourceUp: {
    prometheus: "synsnoop_source_up",
    opentelemetry: "synsnoop.source.up",
    kind: "gauge",
    ucum: "1",
    help: "Whether a source delivers: wire (packets), kernel (its events), input (records)",
  },
  capturePlaces: {
    prometheus: "synsnoop_capture_places",
    opentelemetry: "synsnoop.capture.places",
    kind: "gauge",
    ucum: "{place}",
    help: "Interfaces and network namespaces that are captured, by whether packets come from there",
  },
  recordsWritten: {
    prometheus: "synsnoop_records_written",
    opentelemetry: "synsnoop.records.written",
    kind: "counter",
    ucum: "{record}",
    help: "Records of handshakes that were written",
  },
  filtered: {
    prometheus: "synsnoop_filtered_handshakes",
    opentelemetry: "synsnoop.handshakes.filtered",
    kind: "counter",
    ucum: "{handshake}",
    help: "Handshakes that the filters kept back: they are counted nowhere else",
  },
  servers: {
    prometheus: "synsnoop_server_labels",
    opentelemetry: "synsnoop.server.labels",
    kind: "gauge",
    ucum: "{server}",
    help: "Servers with labels of their own now; all others count as other",
  },
  serversMax: {
    prometheus: "synsnoop_server_labels_max",
    opentelemetry: "synsnoop.server.labels_max",
    kind: "gauge",
    ucum: "{server}",
    help: "Servers with labels of their own at most, --metrics-servers",
  },
  buildInfo: {
    prometheus: "synsnoop_build_info",
    kind: "gauge",
    ucum: "1",
    help: "Always 1: the label is the version",
  },
  bpftraceCpu: {
    prometheus: "synsnoop_bpftrace_cpu_seconds",
    opentelemetry: "synsnoop.bpftrace.cpu.time",
    kind: "counter",
    unit: "seconds",
    ucum: "s",
    help:
      "User and system CPU time of the bpftrace beside this process, of each that ran from 0 on",
  },
  bpftraceMemory: {
    prometheus: "synsnoop_bpftrace_resident_memory_bytes",
    opentelemetry: "synsnoop.bpftrace.memory.usage",
    kind: "gauge",
    unit: "bytes",
    ucum: "By",
    help: "Resident memory of the bpftrace beside this process",
  },
  cpu: {
    prometheus: "process_cpu_seconds",
    opentelemetry: "process.cpu.time",
    kind: "counter",
    unit: "seconds",
    ucum: "s",
    help: "User and system CPU time of this process",
  },
  memory: {
    prometheus: "process_resident_memory_bytes",
    opentelemetry: "process.memory.usage",
    kind: "gauge",
    unit: "bytes",
    ucum: "By",
    help: "Resident memory of this process",
  },
  openFiles: {
    prometheus: "process_open_fds",
    opentelemetry: "process.unix.file_descriptor.count",
    kind: "gauge",
    ucum: "{file_descriptor}",
    help: "Open file descriptors of this process",
  },
  startTime: {
    prometheus: "process_start_time_seconds",
    kind: "gauge",
    unit: "seconds",
    ucum: "s",
    help: "When this process began, seconds of Unix time",
  },
} as const satisfies Record<string, MetricName>;

/** What the code calls a metric. */
export type MetricKey = keyof typeof METRICS;

/**
 * OpenTelemetry's counter of the handshakes that failed: those of {@link METRICS}.handshakes without the
 * established ones, which it wants by themselves.
 */
export const FAILURES: MetricName & { opentelemetry: string } = {
  prometheus: "synsnoop_failures",
  opentelemetry: "system.network.tcp.connection.failures",
  kind: "counter",
  ucum: "{connection}",
  help: "TCP connection attempts that did not become established",
};

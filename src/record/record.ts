// Made of the table of fields, not by hand: tests/golden writes it anew.

/**
 * One handshake as it stands in a line of NDJSON. Absent means unknown. Times and durations are
 * integer nanoseconds.
 */
export interface HandshakeRecord {
  /** Version of the record. */
  v: number;
  /** Kind of the line. */
  event: "handshake";
  /**
   * The first SYN on the wire, or the first kernel time where no packet was seen (RFC 3339, UTC,
   * nine digits).
   */
  time: string;
  /** Name of the host that traced. */
  host: string;
  /**
   * Which host traced, whatever its name: made of its machine-id (machine-id(5)), which stays
   * secret (32 hexadecimal digits).
   */
  host_id?: string;
  /**
   * Which run of the tool on that host: its process id and when it began (ms of Unix time)
   * (PID-START).
   */
  tracer?: string;
  /** This host's part: one end, both ends (local) or neither (observer). */
  role: "client" | "server" | "local" | "observer";
  /**
   * How it ended: refused by a RST; timeout, unreachable and aborted (the client gave up or could
   * not begin) by the client's kernel or RST; half_open: no ACK came; dropped: this host's kernel
   * dropped the SYN; unanswered: nothing came.
   */
  outcome:
    | "established"
    | "refused"
    | "timeout"
    | "unreachable"
    | "aborted"
    | "half_open"
    | "dropped"
    | "unanswered";
  /**
   * Symbol of the errno the client's socket got; without one, of the ICMP error that answered, or
   * the kernel's own reason to drop or refuse.
   */
  reason: string | null;
  /** Which sources saw it. */
  evidence: ("wire" | "kernel")[];
  /** What lies below TCP. */
  network: {
    /** IP version of the packets. */
    type: "ipv4" | "ipv6";
    /** Interface whose packet times are given. */
    interface?: string;
    /**
     * Where it was seen on several: all interfaces that a SYN or SYN-ACK passed, first to last, at
     * most eight.
     */
    interfaces?: string[];
    /** VLAN id of the outermost tag, where its packets carried one. */
    vlan?: number;
    /**
     * What is around its packets, the outermost first: tunnels, tags other than VLAN, some links.
     */
    tunnels?: (
      | "ipip"
      | "gre"
      | "vxlan"
      | "geneve"
      | "6in4"
      | "ah"
      | "gre_in_udp"
      | "erspan"
      | "gtp_u"
      | "teredo"
      | "ayiya"
      | "capwap"
      | "l2tp"
      | "mpls"
      | "cisco_cmd"
      | "vn_tag"
      | "mac_in_mac"
      | "llc_snap"
      | "fabricpath"
      | "trill"
      | "hsr"
      | "ieee_802_11"
      | "fddi"
      | "ipoib"
      | "arcnet"
      | "vxlan_gpe"
    )[];
    /**
     * Inode number of the network namespace of the client's socket, else the server's, else of the
     * interface.
     */
    netns?: number;
    /** Community ID v1 flow hash, as in Zeek, Suricata and Wireshark. */
    community_id?: string;
    /** The other tuple, where this host translates addresses (NAT). */
    translated?: {
      /** The end that sent the SYN. */
      client: {
        /** IP address of the client in the other tuple, where this host translates (NAT). */
        address: string;
        /** TCP port of the client in the other tuple. */
        port: number;
      };
      /** The end that the SYN went to. */
      server: {
        /** IP address of the server in the other tuple, where this host translates (NAT). */
        address: string;
        /** TCP port of the server in the other tuple. */
        port: number;
      };
    };
  };
  /** The end that sent the SYN. */
  client: {
    /** IP address. */
    address: string;
    /** TCP port; 0: none was chosen yet. */
    port: number;
    /** Initial sequence number: Seq of the SYN. */
    isn?: number;
    /** Maximum segment size announced in the SYN (bytes). */
    mss?: number;
    /** Window in the SYN, never scaled there (bytes). */
    window?: number;
    /** Window scale shift announced in the SYN. */
    window_scale?: number;
    /** SACK permitted announced in the SYN. */
    sack_permitted?: boolean;
    /** Timestamps announced in the SYN. */
    timestamps?: boolean;
    /** Its process. */
    process?: {
      /** Process that called connect(). */
      pid: number;
      /** Its command name. */
      comm: string;
      /** User that owns the socket. */
      uid: number;
      /** Id of the socket's cgroup v2. */
      cgroup?: number;
      /**
       * Its path in the cgroup v2 hierarchy, where that is mounted and the cgroup was still there.
       */
      cgroup_path?: string;
      /** The container that it is in. */
      container?: {
        /**
         * Id of the container that its cgroup belongs to, where its runtime gives ids: of several
         * within each other the outermost.
         */
        id?: string;
        /**
         * Its name, where the runtime's files or the cgroup tell it; of a pod's
         * NAMESPACE/POD/CONTAINER.
         */
        name?: string;
      };
      /** The thread of it that acted. */
      thread?: {
        /** Thread that called connect(), where it is not the process's first. */
        tid: number;
        /** Its name. */
        comm?: string;
      };
      /** Present, and true, where it is a thread of the kernel, such as NFS connects from. */
      kernel?: boolean;
    };
  };
  /** The end that the SYN went to. */
  server: {
    /** IP address. */
    address: string;
    /** TCP port; 0: none was chosen yet. */
    port: number;
    /** Initial sequence number: Seq of the SYN-ACK. */
    isn?: number;
    /** Maximum segment size announced in the SYN-ACK (bytes). */
    mss?: number;
    /** Window in the SYN-ACK, never scaled there (bytes). */
    window?: number;
    /** Window scale shift announced in the SYN-ACK. */
    window_scale?: number;
    /** SACK permitted announced in the SYN-ACK. */
    sack_permitted?: boolean;
    /** Timestamps announced in the SYN-ACK. */
    timestamps?: boolean;
    /** Its process. */
    process?: {
      /**
       * Process that listens: it holds the listening socket; of several that do the one that the
       * others descend from, else the one that accepted.
       */
      pid: number;
      /** Its command name. */
      comm: string;
      /** User that owns the socket. */
      uid: number;
      /** Id of the socket's cgroup v2. */
      cgroup?: number;
      /**
       * Its path in the cgroup v2 hierarchy, where that is mounted and the cgroup was still there.
       */
      cgroup_path?: string;
      /** The container that it is in. */
      container?: {
        /**
         * Id of the container that its cgroup belongs to, where its runtime gives ids: of several
         * within each other the outermost.
         */
        id?: string;
        /**
         * Its name, where the runtime's files or the cgroup tell it; of a pod's
         * NAMESPACE/POD/CONTAINER.
         */
        name?: string;
      };
      /** The thread of it that acted. */
      thread?: {
        /** Thread that called listen() or accept(), where it is not the process's first. */
        tid: number;
        /** Its name. */
        comm?: string;
      };
      /** Present, and true, where it is a thread of the kernel, such as NFS connects from. */
      kernel?: boolean;
    };
  };
  /** Durations between packets. */
  rtt: {
    /** SYN to SYN-ACK; of the SYN that was answered, absent where that cannot be told (ns). */
    client_ns?: number;
    /** SYN-ACK to ACK; of the SYN-ACK that was answered, absent where that cannot be told (ns). */
    server_ns?: number;
    /** First SYN to ACK (ns). */
    total_ns?: number;
    /** An RTT is absent because a repeated packet was answered and no timestamp tells which. */
    ambiguous: boolean;
    /** With repeated SYNs: first SYN to SYN-ACK (ns). */
    first_syn_to_syn_ack_ns?: number;
    /** With repeated SYNs: last SYN before the SYN-ACK to SYN-ACK (ns). */
    last_syn_to_syn_ack_ns?: number;
    /** With repeated SYN-ACKs: first SYN-ACK to ACK (ns). */
    first_syn_ack_to_ack_ns?: number;
    /** With repeated SYN-ACKs: last SYN-ACK before the ACK to ACK (ns). */
    last_syn_ack_to_ack_ns?: number;
    /** The client kernel's own sample of SYN to SYN-ACK, in whole microseconds (ns). */
    kernel_client_ns?: number;
    /** The server kernel's own sample of SYN-ACK to ACK, in whole microseconds (ns). */
    kernel_server_ns?: number;
  };
  /** Packets counted. */
  packets: {
    /** SYNs seen, repeated ones included. */
    syn: number;
    /** SYN-ACKs seen, repeated ones included. */
    syn_ack: number;
    /** RSTs that ended it. */
    rst: number;
  };
  /** Moments after `time`. */
  times?: {
    /**
     * connect() was called: before routing and port choice; by the tracepoint only (ns after time).
     */
    connect_ns?: number;
    /**
     * The client's kernel was about to send the first SYN; by function probes only (ns after time).
     */
    syn_sent_ns?: number;
    /** First SYN captured (ns after time). */
    syn_ns?: number;
    /**
     * The listener took the SYN and is about to answer it; by function probes only (ns after time).
     */
    syn_received_ns?: number;
    /** First SYN-ACK captured (ns after time). */
    syn_ack_ns?: number;
    /** The ACK that completes it captured (ns after time). */
    ack_ns?: number;
    /**
     * This host's socket became ESTABLISHED; the client's where both ends are here (ns after time).
     */
    established_ns?: number;
    /** The server's socket became ESTABLISHED, where both ends are here (ns after time). */
    server_established_ns?: number;
    /** accept() returned the socket, where it did before the record was written (ns after time). */
    accepted_ns?: number;
    /** This host's kernel dropped a packet of it: the last that it did (ns after time). */
    dropped_ns?: number;
    /** This host's kernel answered a packet of it with a RST (ns after time). */
    reset_sent_ns?: number;
  };
  /** Packets of it that this host's kernel dropped; absent where none is known. */
  drop?: {
    /** Why this host's kernel dropped a packet of it: the kernel's symbol, of the last one. */
    reason: string;
    /** Which packet was dropped last. */
    packet: "syn" | "syn_ack";
    /** Packets of it that this host's kernel dropped. */
    count: number;
    /** Entries in the listener's queue that was full. */
    queue_length?: number;
    /** Entries that queue may have (the backlog). */
    queue_limit?: number;
  };
  /** The RST that this host's kernel sent; absent where none is known. */
  reset?: {
    /** Why this host's kernel answered a packet of it with a RST: the kernel's symbol. */
    reason: string;
  };
  /** Verdicts on the numbers; absent where the packets are missing. */
  checks?: {
    /** SYN-ACK's Ack = SYN's Seq + 1 (plus data accepted from the SYN). */
    syn_ack_acknowledges_syn?: boolean;
    /** ACK's Seq = SYN's Seq + 1 (plus data sent in the SYN). */
    ack_sequence?: boolean;
    /** ACK's Ack = SYN-ACK's Seq + 1. */
    ack_acknowledges_syn_ack?: boolean;
  };
  /**
   * Facts that are no error; syn_cookie: the server answered with a SYN cookie; one_sided: packets
   * of one direction are missing; trace_ended: the trace ended before an answer could come;
   * clock_set: the clock was set meanwhile, or times of a file are not valid or contradict what
   * answers what, so there are no durations.
   */
  flags: (
    | "tcp_fast_open"
    | "mptcp"
    | "ecn"
    | "accecn"
    | "simultaneous_open"
    | "self_connect"
    | "syn_cookie"
    | "one_sided"
    | "trace_ended"
    | "clock_set"
  )[];
}

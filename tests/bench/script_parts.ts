/**
 * What the scripts are made of, each part alone: small programs on a function that a connect() on
 * loopback enters twice as ESTABLISHED, once for each end. What one costs more than `the function's`
 * is the part's, twice.
 *
 * @module
 */
import { bpftraceProgram, type Watcher } from "./watchers.ts";

const ESTABLISHED = "kfunc:tcp_set_state /(int32)args->state == 1/";
/** A key that is the socket's own. */
const KEY = "(uint64)args->sk";
/** A record as wide as the scripts'. */
const RECORD = `(${
  Array(11).fill("(uint64)1").join(", ")
}, $null->bytes, $null->bytes, comm, comm)`;

const PARTS:
  readonly (readonly [name: string, probes: string, declarations?: string, begin?: string])[] = [
    ["a function probe that does nothing", `${ESTABLISHED} { $x = 1; }`],
    [
      "a function probe whose predicate is false",
      "kfunc:tcp_set_state /(int32)args->state == 99/ { $x = 1; }",
    ],
    ["one read by a cast", `${ESTABLISHED} { $x = ((struct tcp_sock *)args->sk)->rcv_nxt; }`],
    ["one read without a cast", `${ESTABLISHED} { $x = args->sk->sk_err; }`],
    ["the time", `${ESTABLISHED} { $x = nsecs; }`],
    ["pid and comm", `${ESTABLISHED} { $x = pid; $y = comm; }`],
    ["a count without a key", `${ESTABLISHED} { @ = count(); }`],
    ["a count with a key", `${ESTABLISHED} { @[(uint64)0] = count(); }`],
    [
      "a look-up that finds nothing",
      `${ESTABLISHED} { $x = @[${KEY}]; }`,
      "",
      "@[(uint64)1] = 1;",
    ],
    ["a new entry of 8 bytes", `${ESTABLISHED} { @[${KEY}, nsecs] = 1; }`],
    ["a new entry, and its end", `${ESTABLISHED} { @[${KEY}] = 1; delete(@[${KEY}]); }`],
    [
      "a record",
      `${ESTABLISHED} { $null = (struct bytes16 *)kptr(0); @[${KEY}, nsecs] = ${RECORD}; }`,
      "struct bytes16 { unsigned char bytes[16]; }",
    ],
  ];

/** Each as something that watches. */
export const SCRIPT_PARTS: readonly Watcher[] = PARTS.map(
  ([name, probes, declarations = "", begin = ""]) => {
    const end = probes.includes("@") ? "END { clear(@); }" : "";
    return bpftraceProgram(
      name,
      `${declarations}\n${probes}\nBEGIN { ${begin} printf("ready\\n"); }\n${end}`,
    );
  },
);

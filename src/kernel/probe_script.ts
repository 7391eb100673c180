import type { Mechanism } from "./choose_probes.ts";

// The lines of bpf/handshake.bt that only function probes have stand between these two.
const FUNCTIONS_BEGIN = /^\s*\/\* functions: begin \*\/$/;
const FUNCTIONS_END = /^\s*\/\* functions: end \*\/$/;
// And those that only the tracepoint has, which are a comment there.
const TRACEPOINT_BEGIN = /^\s*\/\* tracepoint: begin$/;
const TRACEPOINT_END = /^\s*tracepoint: end \*\/$/;
/** What a function is given, and the tracepoint keeps in a variable: a parameter is read without a copy. */
const TRACED_SOCKET = /\bargs->sk\b/g;

/** A function of the kernel. */
interface Declaration {
  returns: string;
  takes: readonly string[];
}

/**
 * The functions whose parameters the source names, as the kernel declares them (include/net/tcp.h,
 * include/net/inet_connection_sock.h):
 * 6.1 to 7.2 agree. Only `inet_csk_accept` had others before 6.10, which nobody reads.
 */
const DECLARATIONS: Readonly<Record<string, Declaration>> = {
  tcp_connect: { returns: "int", takes: ["struct sock *sk"] },
  tcp_conn_request: {
    returns: "int",
    takes: [
      "struct request_sock_ops *rsk_ops",
      "const struct tcp_request_sock_ops *af_ops",
      "struct sock *sk",
      "struct sk_buff *skb",
    ],
  },
  tcp_make_synack: {
    returns: "struct sk_buff *",
    takes: [
      "const struct sock *sk",
      "struct dst_entry *dst",
      "struct request_sock *req",
      "struct tcp_fastopen_cookie *foc",
      "enum tcp_synack_type synack_type",
      "struct sk_buff *syn_skb",
    ],
  },
  inet_csk_accept: { returns: "struct sock *", takes: [] },
  inet_csk_listen_start: { returns: "int", takes: ["struct sock *sk"] },
  tcp_set_state: { returns: "void", takes: ["struct sock *sk", "int state"] },
};

/**
 * Makes the script of a mechanism from the one source that all three share.
 *
 * @param source The text of `bpf/handshake.bt`, which is fentry's script as it stands.
 * @throws {Error} where it hooks a function, or names a parameter, that is not declared here.
 */
export function probeScript(source: string, mechanism: Mechanism): string {
  const lines = source.split("\n");
  const forTracepoint = mechanism === "tracepoint";
  const kept = withoutMarks(
    withoutMarks(lines, FUNCTIONS_BEGIN, FUNCTIONS_END, !forTracepoint),
    TRACEPOINT_BEGIN,
    TRACEPOINT_END,
    forTracepoint,
  );
  switch (mechanism) {
    case "fentry":
      return kept.join("\n");
    case "kprobe":
      return byKprobes(kept).join("\n");
    case "tracepoint":
      return kept.map((line) => line.replaceAll(TRACED_SOCKET, "$sk")).join("\n");
  }
}

/** The lines without those marks, and with or without what stands between them. */
function withoutMarks(lines: string[], begin: RegExp, end: RegExp, withInner: boolean): string[] {
  let inside = false;
  return lines.filter((line) => {
    const isBegin = begin.test(line);
    const isEnd = end.test(line);
    const kept = !isBegin && !isEnd && (withInner || !inside);
    inside = isBegin || inside && !isEnd;
    return kept;
  });
}

/** A thread; where none runs its CPU, which one call at a time interrupts. */
const THREAD = "tid == 0 ? (uint64)cpu << 32 : (uint64)tid";

/**
 * An fentry probe gives a function's parameters and its result by name, with their types. A kprobe
 * gives registers, which are numbers: so each name becomes its register and the type is said. When the
 * function returns they hold something else: so another kprobe keeps them until then.
 */
function byKprobes(lines: readonly string[]): string[] {
  const probes = probesOf(lines).map(kprobesOf);
  const clear = probes.flatMap(({ keptIn }) => keptIn === undefined ? [] : [`  clear(${keptIn});`]);
  return probes.flatMap(({ lines }) =>
    lines[0] === "END" ? [...lines.slice(0, 2), ...clear, ...lines.slice(2)] : lines
  );
}

/** A probe by kprobes, and the map in which what it needs is kept until the function returns. */
function kprobesOf(lines: readonly string[]): { lines: readonly string[]; keptIn?: string } {
  const [, isReturn, name] = /^k(ret)?func:(\S+)$/.exec(lines[0]) ?? [];
  if (name === undefined) return { lines };
  const { takes, returns } = declarationOf(name);
  const text = lines.slice(1).join("\n")
    .replace(/= retval;/, `= ${typed(returns, "retval")};`);
  const kept = isReturn ? parametersIn(text, takes) : [];
  const whole = text.replace(/\bargs->(\w+)/g, (_, parameter) => {
    const number = numberOf(takes, parameter);
    const value = !isReturn
      ? `arg${number}`
      : kept.length === 1
      ? "$entered"
      : `$entered.${kept.indexOf(number)}`;
    return typed(takes[number].slice(0, -parameter.length), value);
  });
  if (kept.length === 0) return { lines: [`k${isReturn ?? ""}probe:${name}`, whole] };
  const map = `@entered_${name}`;
  const registers = kept.map((number) => `(uint64)arg${number}`).join(", ");
  return {
    keptIn: map,
    lines: [
      `kprobe:${name}`,
      "{",
      `  ${map}[${THREAD}] = ${kept.length === 1 ? registers : `(${registers})`};`,
      "}",
      "",
      `kretprobe:${name}`,
      // Not of a call that began before the probe was there.
      `/${map}[${THREAD}]${kept.length === 1 ? "" : ".0"} != 0/`,
      "{",
      `  $entered = ${map}[${THREAD}];`,
      `  delete(${map}[${THREAD}]);`,
      whole.replace(/^{\n/, ""),
    ],
  };
}

/** The lines of each probe, from the one that names it on; first those before any. */
function probesOf(lines: readonly string[]): string[][] {
  const probes: string[][] = [[]];
  for (const line of lines) {
    if (/^(?:\w+:\S+|BEGIN|END)$/.test(line)) probes.push([]);
    probes.at(-1)!.push(line);
  }
  return probes;
}

/** The numbers of the parameters that a text names, each once. */
function parametersIn(text: string, takes: readonly string[]): number[] {
  const names = Array.from(text.matchAll(/\bargs->(\w+)/g), ([, name]) => name);
  return [...new Set(names.map((name) => numberOf(takes, name)))];
}

/** @throws {Error} for a function that is not declared here. */
function declarationOf(name: string): Declaration {
  const declared = DECLARATIONS[name];
  if (!declared) throw new Error(`Cannot hook ${name} by a kprobe: its parameters are not known`);
  return declared;
}

/**
 * Where a parameter stands among all.
 *
 * @throws {Error} where the function takes none of that name.
 */
function numberOf(takes: readonly string[], name: string): number {
  const number = takes.findIndex((each) =>
    each.endsWith(name) && !/\w/.test(each.at(-name.length - 1)!)
  );
  if (number < 0) throw new Error(`Cannot find the parameter ${name} among "${takes.join(", ")}"`);
  return number;
}

/** A value with its type, where that is a pointer. */
function typed(type: string, value: string): string {
  return type.endsWith("*") ? `((${type.replace(/^const /, "")})${value})` : value;
}

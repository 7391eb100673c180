import type { Mechanism } from "./choose_probes.ts";

// The lines of bpf/handshake.bt that only function probes have stand between these two.
const FUNCTIONS_BEGIN = /^\s*\/\* functions: begin \*\/$/;
const FUNCTIONS_END = /^\s*\/\* functions: end \*\/$/;

/** A function of the kernel. */
interface Declaration {
  returns: string;
  takes: readonly string[];
}

/**
 * The functions whose parameters the source names, as the kernel declares them (include/net/tcp.h):
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
};

/**
 * Makes the script of a mechanism from the one source that all three share.
 *
 * @param source The text of `bpf/handshake.bt`, which is fentry's script as it stands.
 * @throws {Error} where it hooks a function, or names a parameter, that is not declared here.
 */
export function probeScript(source: string, mechanism: Mechanism): string {
  switch (mechanism) {
    case "fentry":
      return withoutMarks(source);
    case "kprobe":
      return byKprobes(withoutMarks(source));
    case "tracepoint":
      return withoutFunctions(source);
  }
}

function withoutMarks(source: string): string {
  return source.split("\n")
    .filter((line) => !FUNCTIONS_BEGIN.test(line) && !FUNCTIONS_END.test(line)).join("\n");
}

function withoutFunctions(source: string): string {
  let inside = false;
  return source.split("\n").filter((line) => {
    if (FUNCTIONS_BEGIN.test(line)) inside = true;
    const kept = !inside;
    if (FUNCTIONS_END.test(line)) inside = false;
    return kept;
  }).join("\n");
}

/**
 * An fentry probe gives a function's parameters and its result by name, with their types. A kprobe
 * gives registers, which are numbers: so each name becomes its register and the type is said.
 */
function byKprobes(script: string): string {
  let declared: Declaration | undefined;
  return script.split("\n").map((line) => {
    const probe = /^(\w+):(\S+)$/.exec(line);
    if (probe) declared = probe[1].endsWith("func") ? declarationOf(probe[2]) : undefined;
    if (!declared) return line;
    const { takes, returns } = declared;
    return line.replace(/^k(ret)?func:/, "k$1probe:")
      .replace(/\bargs->(\w+)/g, (_, name) => register(takes, name))
      .replace(/= retval;/, `= ${pointer(returns)}retval;`);
  }).join("\n");
}

/** @throws {Error} for a function that is not declared here. */
function declarationOf(name: string): Declaration {
  const declared = DECLARATIONS[name];
  if (!declared) throw new Error(`Cannot hook ${name} by a kprobe: its parameters are not known`);
  return declared;
}

/**
 * A parameter as a kprobe knows it.
 *
 * @throws {Error} where the function takes none of that name.
 */
function register(takes: readonly string[], name: string): string {
  const number = takes.findIndex((each) =>
    each.endsWith(name) && !/\w/.test(each.at(-name.length - 1)!)
  );
  if (number < 0) throw new Error(`Cannot find the parameter ${name} among "${takes.join(", ")}"`);
  return `${pointer(takes[number].slice(0, -name.length))}arg${number}`;
}

/** The cast to a type, where it is a pointer. */
function pointer(type: string): string {
  return type.endsWith("*") ? `(${type.replace(/^const /, "")})` : "";
}

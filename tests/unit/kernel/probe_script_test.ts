import { assertEquals, assertThrows } from "@std/assert";
import { probeScript } from "../../../src/kernel/probe_script.ts";

const SOURCE = `/* A source. */
struct bytes16 { unsigned char bytes[16]; }
/* functions: begin */
kfunc:tcp_conn_request
{
  $listener = args->sk;
  @arriving[(uint64)args->skb] = nsecs;
}

kfunc:tcp_make_synack
{
  $cookie = (uint32)args->synack_type == 2;
}

kretfunc:inet_csk_accept
/retval != 0/
{
  $sk = retval;
}
/* functions: end */

tracepoint:sock:inet_sock_set_state
{
  $sk = (struct sock *)args->skaddr;
  /* functions: begin */
  $syn_ns = @answered[$sk];
  /* functions: end */
}
`;

Deno.test("probeScript takes the source as it stands for fentry, without the marks", () => {
  const script = probeScript(SOURCE, "fentry");
  assertEquals(script, SOURCE.replaceAll(/^ *\/\* functions: .*\n/gm, ""));
});

Deno.test("probeScript says registers for the names of parameters where it hooks by kprobes", () => {
  const expected = probeScript(SOURCE, "fentry")
    .replace("kfunc:tcp_conn_request", "kprobe:tcp_conn_request")
    .replace("$listener = args->sk;", "$listener = (struct sock *)arg2;")
    .replace("(uint64)args->skb]", "(uint64)(struct sk_buff *)arg3]")
    .replace("kfunc:tcp_make_synack", "kprobe:tcp_make_synack")
    .replace("args->synack_type", "arg4")
    .replace("kretfunc:inet_csk_accept", "kretprobe:inet_csk_accept")
    .replace("= retval;", "= (struct sock *)retval;");
  // The tracepoint's args keep their names.
  assertEquals(probeScript(SOURCE, "kprobe"), expected);
});

Deno.test("probeScript leaves out what only function probes have for the tracepoint", () => {
  assertEquals(
    probeScript(SOURCE, "tracepoint"),
    `/* A source. */
struct bytes16 { unsigned char bytes[16]; }

tracepoint:sock:inet_sock_set_state
{
  $sk = (struct sock *)args->skaddr;
}
`,
  );
});

Deno.test("probeScript knows no parameter that its function has not, nor a part of a name", () => {
  for (const name of ["syn_skb", "k", "kb"]) {
    const source = `kfunc:tcp_conn_request\n{\n  $x = args->${name};\n}\n`;
    assertThrows(() => probeScript(source, "kprobe"), Error, `Cannot find the parameter ${name} `);
  }
  assertThrows(() => probeScript("kfunc:tcp_v4_rcv\n{\n}\n", "kprobe"), Error, "tcp_v4_rcv");
});

import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { probeScript } from "../../../src/kernel/probe_script.ts";

const SOURCE = `/* A source. */
struct bytes16 { unsigned char bytes[16]; }
/* functions: begin */
kfunc:tcp_make_synack
{
  $cookie = (uint32)args->synack_type == 2;
  $number = args->req->__req_common.skc_portpair;
}

kretfunc:tcp_conn_request
{
  $listener = args->sk;
  @refused[(uint64)args->skb] = args->sk->sk_ack_backlog;
}

kretfunc:inet_csk_accept
/retval != 0/
{
  $sk = retval;
}

kretfunc:inet_csk_listen_start
{
  $sk = args->sk;
}

kfunc:tcp_set_state
/(int32)args->state == 1/
{
  $sk = args->sk;
/* functions: end */
/* tracepoint: begin
tracepoint:sock:inet_sock_set_state
{
  $sk = (struct sock *)args->skaddr;
tracepoint: end */
  $key = (uint64)args->sk;
  /* functions: begin */
  $syn_ns = @answered[$key];
  /* functions: end */
  /* tracepoint: begin
  $syn_ns = 0;
  tracepoint: end */
}

END
{
  clear(@answered);
}
`;

Deno.test("probeScript takes the source as it stands for fentry, without the marks and what is between the tracepoint's", () => {
  const script = probeScript(SOURCE, "fentry");
  const expected = SOURCE
    .replaceAll(/^ *\/\* tracepoint: begin\n[^]*?tracepoint: end \*\/\n/gm, "")
    .replaceAll(/^ *\/\* functions: .*\n/gm, "");
  assertEquals(script, expected);
  assertStringIncludes(script, "$syn_ns = @answered[$key];\n}");
});

Deno.test("probeScript says registers for the names of parameters where it hooks by kprobes", () => {
  const source = `kfunc:tcp_make_synack
{
  $cookie = (uint32)args->synack_type == 2;
  $number = args->req->__req_common.skc_portpair;
}

kretfunc:inet_csk_accept
/retval != 0/
{
  $sk = retval;
}

tracepoint:skb:kfree_skb
{
  $reason = args->reason;
}
`;
  assertEquals(
    probeScript(source, "kprobe"),
    `kprobe:tcp_make_synack
{
  $cookie = (uint32)arg4 == 2;
  $number = ((struct request_sock *)arg2)->__req_common.skc_portpair;
}

kretprobe:inet_csk_accept
/retval != 0/
{
  $sk = ((struct sock *)retval);
}

tracepoint:skb:kfree_skb
{
  $reason = args->reason;
}
`,
  );
});

Deno.test("probeScript keeps parameters from a kprobe for the one at the function's return", () => {
  const script = probeScript(SOURCE, "kprobe");
  const thread = "tid == 0 ? (uint64)cpu << 32 : (uint64)tid";
  assertStringIncludes(
    script,
    `kprobe:tcp_conn_request
{
  @entered_tcp_conn_request[${thread}] = ((uint64)arg2, (uint64)arg3);
}

kretprobe:tcp_conn_request
/@entered_tcp_conn_request[${thread}].0 != 0/
{
  $entered = @entered_tcp_conn_request[${thread}];
  delete(@entered_tcp_conn_request[${thread}]);
  $listener = ((struct sock *)$entered.0);
  @refused[(uint64)((struct sk_buff *)$entered.1)] = ((struct sock *)$entered.0)->sk_ack_backlog;
}
`,
  );
  // One alone is no tuple.
  assertStringIncludes(
    script,
    `kprobe:inet_csk_listen_start
{
  @entered_inet_csk_listen_start[${thread}] = (uint64)arg0;
}

kretprobe:inet_csk_listen_start
/@entered_inet_csk_listen_start[${thread}] != 0/
{
  $entered = @entered_inet_csk_listen_start[${thread}];
  delete(@entered_inet_csk_listen_start[${thread}]);
  $sk = ((struct sock *)$entered);
}
`,
  );
  // bpftrace prints what is left in a map.
  assertStringIncludes(
    script,
    "END\n{\n  clear(@entered_tcp_conn_request);\n  clear(@entered_inet_csk_listen_start);\n" +
      "  clear(@answered);\n}\n",
  );
});

Deno.test("probeScript leaves out what only function probes have for the tracepoint, and takes in what only it has", () => {
  assertEquals(
    probeScript(SOURCE, "tracepoint"),
    `/* A source. */
struct bytes16 { unsigned char bytes[16]; }
tracepoint:sock:inet_sock_set_state
{
  $sk = (struct sock *)args->skaddr;
  $key = (uint64)$sk;
  $syn_ns = 0;
}

END
{
  clear(@answered);
}
`,
  );
});

Deno.test("probeScript knows no parameter that its function has not, nor a part of a name", () => {
  for (const name of ["syn_skb", "k", "kb"]) {
    for (const probe of ["kfunc", "kretfunc"]) {
      const source = `${probe}:tcp_conn_request\n{\n  $x = args->${name};\n}\n`;
      assertThrows(
        () => probeScript(source, "kprobe"),
        Error,
        `Cannot find the parameter ${name} `,
      );
    }
  }
  assertThrows(() => probeScript("kfunc:tcp_v4_rcv\n{\n}\n", "kprobe"), Error, "tcp_v4_rcv");
});

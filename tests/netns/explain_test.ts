// `explain` of what happens on this host: the next handshake that matches, from packets and kernel.
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { findExecutable } from "../../src/linux/host.ts";
import { interfaceIndex } from "../../src/linux/netns/interfaces.ts";
import { TcpFlag } from "../../src/wire/tcp_flags.ts";
import { CraftedEnd } from "./lab/crafted_end.ts";
import { inNamespace, Namespace, namespaceTest, skippableTest, until } from "./namespace.ts";
import { MAIN } from "./tracer.ts";

/** Attaching takes about a second; a busy machine takes several. */
const READY_MS = 60_000;
const PORT = 18_080;

/** A running `synsnoop explain` of this host. */
class Explainer {
  stdout = "";
  stderr = "";
  readonly #child: Deno.ChildProcess;
  readonly #read: Promise<unknown>;
  #hasEnded = false;

  constructor(namespace: Namespace, args: readonly string[]) {
    const command = [Deno.execPath(), "run", "--quiet", "-A", MAIN, "explain", ...args];
    this.#child = namespace.spawn(command, {
      stdout: "piped",
      stderr: "piped",
      env: { LC_ALL: "C.UTF-8" },
    });
    const collect = async (
      stream: ReadableStream<Uint8Array<ArrayBuffer>>,
      take: (text: string) => void,
    ) => {
      for await (const text of stream.pipeThrough(new TextDecoderStream())) take(text);
    };
    this.#read = Promise.all([
      collect(this.#child.stdout, (text) => this.stdout += text),
      collect(this.#child.stderr, (text) => this.stderr += text),
    ]).then(() => this.#hasEnded = true);
  }

  /** Waits until it has said something; what makes that impossible ends the wait. */
  async said(pattern: RegExp): Promise<void> {
    const ends = /going on with packets alone|as printed lines|Cannot /;
    const isOver = () => pattern.test(this.stderr) || ends.test(this.stderr) || this.#hasEnded;
    await until(`${pattern}`, isOver, READY_MS).catch((error) => {
      throw new Error(`${error.message}, it said ${this.stderr}`);
    });
    assertMatch(this.stderr, pattern);
  }

  signal(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  async ended(): Promise<number> {
    await this.#read;
    return (await this.#child.status).code;
  }
}

/** A program that accepts one connection of its own, then tries a port where nobody listens. */
const CONNECTS = `
  const hostname = "127.0.0.1";
  using listener = Deno.listen({ hostname, port: ${PORT} });
  using _client = await Deno.connect({ hostname, port: ${PORT} });
  using _server = await listener.accept();
  await Deno.connect({ hostname, port: ${PORT + 1} }).catch(() => {});
`;

await namespaceTest("explain tells the next handshake, both ends on one ladder", async () => {
  await using namespace = await Namespace.create();
  const explainer = new Explainer(namespace, ["--port", String(PORT), "--comm", "deno"]);
  await explainer.said(/kernel events come from/);
  await namespace.script(CONNECTS);
  assertEquals(await explainer.ended(), 0, explainer.stderr);
  const { stdout, stderr } = explainer;
  assertStringIncludes(
    stderr,
    "synsnoop: waiting for the next TCP handshake on all interfaces that ends and matches " +
      `--port ${PORT} --comm deno\n`,
  );
  assertMatch(stdout, /^TCP handshake: established\n/);
  assertMatch(stdout, /^ {2}client {2}127\.0\.0\.1:\d+, deno \(process \d+, user 0\)$/m);
  assertMatch(stdout, /^ {2}server {2}127\.0\.0\.1:18080, deno \(process \d+, user 0\)$/m);
  assertMatch(stdout, /^ +-[\d.]+ .s {2}● connect\(\) is called +│$/m);
  assertMatch(stdout, /^ +[\d.]+ .s {2}│ +the socket is ESTABLISHED ●$/m);
  assertMatch(stdout, /^ 1 +0[\d.]* .s {2}├── \[SYN\] Seq=0x[0-9a-f]{8} \(0\) ─+►│$/m);
  assertMatch(stdout, /^ 2 +[\d.]+ .s {2}│◄── \[SYN, ACK\] .* Ack=0x[0-9a-f]{8} \(1\) ─+┤$/m);
  assertMatch(stdout, /^ 3 +[\d.]+ .s {2}├── \[ACK\] .* Ack=0x[0-9a-f]{8} \(1\) ─+►│$/m);
  assertEquals(stdout.match(/ ✓ {2}the /g)?.length, 3);
});

await namespaceTest("explain waits for one that matches, with packets alone too", async () => {
  await using namespace = await Namespace.create();
  const args = ["--outcome", "refused", "--probes", "none", "--interface", "lo", "--header"];
  const explainer = new Explainer(namespace, args);
  await explainer.said(/capturing packets/);
  await namespace.script(CONNECTS);
  assertEquals(await explainer.ended(), 0, explainer.stderr);
  const { stdout } = explainer;
  assertMatch(stdout, /^TCP handshake: refused\n/);
  assertStringIncludes(stdout, "seen    its packets on lo;");
  assertMatch(stdout, /^ 2 +[\d.]+ .s {2}│◄── \[RST, ACK\] /m);
  assertMatch(stdout, /✓ {2}the RST's Ack is the SYN's Seq \+ 1$/m);
  assertStringIncludes(stdout, "Header of the RST (packet 2)");
});

skippableTest(
  "explain says in its last line that it may not capture",
  findExecutable("setpriv") ? undefined : 'no "setpriv" (package util-linux)',
  async () => {
    const without = ["--bounding-set=-net_raw,-net_admin", "--inh-caps=-net_raw,-net_admin"];
    const { code, stdout, stderr } = await new Deno.Command("setpriv", {
      args: [...without, Deno.execPath(), "run", "--quiet", "-A", MAIN, "explain"],
      stdin: "null",
    }).output();
    const said = new TextDecoder().decode(stderr);
    assertEquals([code, stdout.length], [3, 0], said);
    assertMatch(said, /^synsnoop: Cannot .*EPERM, run as root[^\n]*\n$/);
  },
);

await namespaceTest("explain ends at Ctrl-C and says what came instead", async () => {
  await using namespace = await Namespace.create();
  const explainer = new Explainer(namespace, ["--port", "9", "--probes", "none"]);
  await explainer.said(/capturing packets/);
  await namespace.script(CONNECTS);
  explainer.signal("SIGINT");
  assertEquals(await explainer.ended(), 1);
  assertEquals(explainer.stdout, "");
  assertMatch(
    explainer.stderr,
    /Cannot explain a handshake: 2 handshakes came \(1 established, 1 refused\), none of them matches\n$/,
  );
});

await namespaceTest("explain says which packets of the trace decide nothing", async () => {
  await using client = await Namespace.create();
  await using server = await Namespace.create();
  const [here, there] = await client.connect(server, {
    here: "10.77.0.1/24",
    there: "10.77.0.2/24",
  });
  const [{ address: clientMac }] = JSON.parse(await client.ip("-j", "link", "show", here));
  // Nobody answers for the crafted end.
  await server.ip("neigh", "replace", "10.77.0.50", "lladdr", clientMac, "dev", there);
  const explainer = new Explainer(server, ["--probes", "none", "--port", String(PORT)]);
  await explainer.said(/capturing packets/);
  const [{ address: nextHop }] = JSON.parse(await server.ip("-j", "link", "show", there));
  using ghost = new CraftedEnd({
    namespace: client,
    interfaceIndex: inNamespace(client.name, () => interfaceIndex(here)!),
    nextHop: Uint8Array.from(nextHop.split(":"), (byte: string) => parseInt(byte, 16)),
    address: "10.77.0.50",
    port: 40_000,
    peerAddress: "10.77.0.2",
    peerPort: PORT,
  });
  const syn = { flags: TcpFlag.SYN, sequence: 1000 };
  ghost.send({ ...syn, sequence: 7, badChecksum: true }, { ...syn, badIpChecksum: true }, syn);
  // Nobody listens: the kernel answers the true one with a RST.
  assertEquals(await explainer.ended(), 0, explainer.stderr);
  assertMatch(explainer.stdout, /^TCP handshake: refused\n/);
  assertMatch(
    explainer.stderr,
    /: 2 packets decide nothing: .* \(1 bad_ip_checksum, 1 bad_tcp_checksum\)\n/,
  );
});

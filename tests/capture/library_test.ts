// The examples that mod.ts opens with, each as a program of its own that may do nothing but read its input.
import { assertEquals, assertMatch } from "@std/assert";
import { TcpFlag } from "../../src/wire/segment.ts";
import { encodeHandshake } from "../../src/record/ndjson.ts";
import { buildPcap } from "../unit/pcap/build_capture.ts";
import { CONTEXT, HANDSHAKES } from "../unit/record/sample_handshakes.ts";
import { buildEthernet, buildIpv4, buildTcp } from "../unit/wire/build_frame.ts";

const MOD = new URL("../../mod.ts", import.meta.url);
const EMPTY_FILE = "new Blob([]).stream()";

/** The examples in the documentation of mod.ts that read a file. */
function examples(): string[] {
  const blocks = Deno.readTextFileSync(MOD).matchAll(/^ \* ```ts\n([^]*?)^ \* ```$/gm);
  return [...blocks].map(([, block]) => block.replaceAll(/^ \* ?/gm, ""))
    .filter((block) => block.includes(EMPTY_FILE));
}

/** Runs an example with these bytes as its file. @returns What it printed. */
async function runExample(example: string, bytes: Uint8Array): Promise<string> {
  const folder = Deno.makeTempDirSync({ prefix: "synsnoop-library-" });
  try {
    const path = `${folder}/example.ts`;
    const program = example.replace("./mod.ts", MOD.href)
      .replace(EMPTY_FILE, "Deno.stdin.readable");
    Deno.writeTextFileSync(path, program);
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--no-prompt", "--no-check", path],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
      env: { NO_COLOR: "1" },
    }).spawn();
    const writer = child.stdin.getWriter();
    await writer.write(bytes as Uint8Array<ArrayBuffer>);
    await writer.close();
    const { code, stdout, stderr } = await child.output();
    assertEquals([code, new TextDecoder().decode(stderr)], [0, ""]);
    return new TextDecoder().decode(stdout);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

const SYN = buildEthernet({
  payload: buildIpv4({
    payload: buildTcp({ sourcePort: 40_000, destinationPort: 443, flags: TcpFlag.SYN }),
  }),
});
const RECORDS = new TextEncoder().encode(
  HANDSHAKES.map((handshake) => encodeHandshake(handshake, CONTEXT)).join("") +
    '{"v":1,"event":"summary"}\nno record\n',
);

Deno.test("mod.ts shows how to read a capture, and records, without any permission", async () => {
  const [example] = examples();
  assertEquals(example.trimEnd().split("\n").length <= 20, true, "it has 20 lines at most");
  const capture = await runExample(example, buildPcap({ records: [{ data: SYN }] }));
  assertMatch(capture, /^.* unanswered .*:40000 .*\n1 in all\n$/);
  const records = await runExample(example, RECORDS);
  assertEquals(records.trimEnd().split("\n").length, HANDSHAKES.length + 1);
});

Deno.test("mod.ts shows how to follow records, without any permission", async () => {
  const [, example] = examples();
  const lines = (await runExample(example, RECORDS)).trimEnd().split("\n");
  assertEquals(lines[0], "web1 established curl 10231000");
  assertEquals(lines.at(-1), `${HANDSHAKES.length} in all, 1 other lines`);
});

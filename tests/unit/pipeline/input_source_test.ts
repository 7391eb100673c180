import { assertEquals, assertMatch } from "@std/assert";
import type { Handshake } from "../../../src/match/handshake.ts";
// What is loaded when it is asked for needs no right to be read where it is loaded already.
import "../../../src/pipeline/record_source.ts";
import type { Sink, Source } from "../../../src/pipeline/sink.ts";
import { encodeHandshake } from "../../../src/record/ndjson.ts";
import { buildPcap } from "../pcap/build_capture.ts";
import { CONTEXT, HANDSHAKES } from "../record/sample_handshakes.ts";
import { buildEthernet, buildIpv4, buildTcp } from "../wire/build_frame.ts";
import { type ReadAsked, sourceInto } from "./read_files.ts";

class Hosts implements Sink {
  readonly label = "hosts";
  readonly hosts: string[] = [];
  #source: Source | undefined;

  begin(source: Source): void {
    this.#source = source;
  }

  take({ outcome }: Handshake): void {
    this.hosts.push(`${this.#source!.context.host} ${outcome}`);
  }

  flush(): void {}

  end(): void {}
}

const bytes = (text: string) => new TextEncoder().encode(text);
const RECORD = encodeHandshake(HANDSHAKES[0], CONTEXT);
const CAPTURE = buildPcap({
  records: [{
    seconds: 1_795_395_700,
    data: buildEthernet({
      payload: buildIpv4({
        payload: buildTcp({ sourcePort: 40_000, destinationPort: 443, flags: 2, sequence: 9 }),
      }),
    }),
  }],
});

async function run(files: readonly Uint8Array[], asked: ReadAsked = {}, piece = Infinity) {
  const sink = new Hosts();
  const { source, pipeline, end } = sourceInto([sink], asked);
  for (const file of files) {
    const reader = source.beginFile();
    for (let from = 0; from < file.length; from += piece) {
      await reader.feed(file.subarray(from, from + piece));
      pipeline.flush();
    }
    reader.end();
  }
  end();
  return { hosts: sink.hosts, source, state: pipeline.state() };
}

Deno.test("InputSource tells captures and records apart by their first bytes", async () => {
  for (const piece of [1, 5, Infinity]) {
    const { hosts, source } = await run(
      [CAPTURE, bytes(RECORD), bytes("\ufeff" + RECORD)],
      {},
      piece,
    );
    // What the captures hold is complete once nothing more is read.
    assertEquals(hosts, ["web1 established", "web1 established", "reader unanswered"]);
    assertEquals(source.describeRead(), "3 packets were read");
  }
  assertEquals((await run([bytes(RECORD)])).source.describeRead(), "1 record was read");
});

Deno.test("InputSource takes records behind blank lines, and a pcapng file for what it is", async () => {
  for (const blank of ["\n", "\r\n", "\n\r\n", " \t\n\n\n\n\n"]) {
    const { source } = await run([bytes(`${blank}${RECORD}\n${RECORD}`)]);
    assertEquals(source.describeRead(), "2 records were read");
  }
  const heldBy = async (content: Uint8Array) => {
    const reader = sourceInto([new Hosts()]).source.beginFile();
    await reader.feed(content);
    return reader.held;
  };
  assertEquals(await heldBy(bytes("\n\n")), "records");
  // Its length, 0x7b20, ends in a space and a brace.
  const pcapng = Uint8Array.of(0x0a, 0x0d, 0x0d, 0x0a, 0x20, 0x7b, 0, 0);
  for (const length of [1, 4, 8]) {
    assertEquals(await heldBy(pcapng.subarray(0, length)), "packets");
  }
  assertEquals(await heldBy(bytes("  text")), "packets");
});

Deno.test("InputSource counts what it read, and nothing of what it did not", async () => {
  const records = (await run([bytes(RECORD + "x\n")])).state;
  assertEquals(records.losses, { unread_lines: 1 });
  const captures = (await run([CAPTURE])).state;
  assertEquals("unread_lines" in captures.losses, false);
  const both = (await run([CAPTURE, bytes(RECORD + "x\n")])).state;
  assertEquals([both.losses.unread_lines, both.losses.capture_packets], [1, 0]);
  // From the packet to the record 23 s later.
  assertEquals(both.span.endNs - both.span.startNs, 23e9 + HANDSHAKES[0].timeNs);
});

Deno.test("InputSource refuses records where they are of no use, and says why", () => {
  const sink = new Hosts();
  const { source } = sourceInto([sink], { refusal: "it holds records" });
  const reader = source.beginFile();
  assertEquals(reader.feed(bytes(RECORD)), undefined);
  reader.end();
  assertEquals(reader.fault, { byteOffset: 0, reason: "it holds records" });
  assertEquals(sink.hosts, []);
});

Deno.test("InputReader says which lines are no records", async () => {
  const { source } = sourceInto([new Hosts()]);
  const reader = source.beginFile();
  assertEquals(reader.held, undefined);
  await reader.feed(bytes(RECORD));
  assertEquals([reader.held, reader.describeRefused()], ["records", undefined]);
  // What takes records is there by now.
  assertEquals(reader.feed(bytes(`\x1b[2J\n{}\n${"x".repeat(2 ** 21)}\n`)), undefined);
  reader.end();
  assertEquals(
    reader.describeRefused(),
    "3 of its lines are no records (1 no JSON, 1 no record, 1 too long); line 2: it is no JSON",
  );
  assertEquals(reader.fault, undefined);
});

Deno.test("InputReader leaves to the capture reader what holds nothing", () => {
  const { source } = sourceInto([new Hosts()]);
  const reader = source.beginFile();
  reader.end();
  assertMatch(reader.fault!.reason, /^it is empty$/);
});

Deno.test("InputSource takes captures at once, and loads what takes records for the first of them", async () => {
  const { source } = sourceInto([new Hosts()]);
  assertEquals(source.beginFile().feed(CAPTURE), undefined);
  const reader = source.beginFile();
  const long = bytes(RECORD.repeat(1_000));
  await reader.feed(long);
  assertEquals(source.items, 1_001);
  source.done = true;
  await source.beginFile().feed(bytes(RECORD));
  assertEquals(source.items, 1_001);
});

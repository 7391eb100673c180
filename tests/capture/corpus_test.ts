// Every capture file of a folder, against tshark: the same handshakes, the same numbers, the same
// times. The folder is named by SYNSNOOP_CORPUS; its files are not part of this repository.
import { assertEquals } from "@std/assert";
import { findExecutable } from "../../src/io/packages.ts";
import { runRead } from "./read_tool.ts";
import { handshakeKey, readWithTshark } from "./tshark.ts";

/** Where tshark says otherwise and why this tool is right, by file. */
const RTT_DISAGREEMENTS: Readonly<Record<string, string>> = {
  "tcpdump-timestamp_invalid_micro.pcap":
    "a fraction of a million microseconds is no time: no duration can be taken of it",
  "tcpdump-timestamp_invalid_nano.pcap":
    "a fraction of a thousand million nanoseconds is no time: no duration can be taken of it",
};

const CORPUS = Deno.env.get("SYNSNOOP_CORPUS");

function obstacle(): string | undefined {
  if (CORPUS === undefined) return "SYNSNOOP_CORPUS names no folder of capture files";
  return findExecutable("tshark") === undefined ? 'no "tshark" (package tshark)' : undefined;
}

const reason = obstacle();
if (reason !== undefined) {
  Deno.test({ name: `corpus against tshark — skipped: ${reason}`, ignore: true, fn() {} });
} else {
  const names = [...Deno.readDirSync(CORPUS!)].map(({ name }) => name)
    .filter((name) => /\.(pcap|pcapng|cap)$/.test(name)).sort();
  Deno.test("corpus holds capture files", () => {
    assertEquals(names.length > 0, true, CORPUS);
  });
  for (const name of names) {
    Deno.test(`read and tshark agree on ${name}`, async () => {
      const path = `${CORPUS}/${name}`;
      const expected = await readWithTshark(path);
      const { status, records, summary } = await runRead([path]);
      assertEquals(status, 0);
      assertEquals(summary.handshakes, records.length);
      const begun = records.filter(({ packets }) => packets.syn > 0);
      const keys = begun.map(({ client, server }) => handshakeKey(client, server));
      assertEquals(keys.toSorted(), [...expected.handshakes].toSorted());
      for (const [index, { server, rtt, outcome }] of begun.entries()) {
        const key = keys[index];
        const isns = expected.serverIsns.get(key);
        assertEquals(server.isn === undefined, isns === undefined, key);
        if (isns !== undefined) assertEquals(isns.has(server.isn!), true, key);
        if (name in RTT_DISAGREEMENTS) continue;
        const initialRttNs = expected.initialRttsNs.get(key);
        // tshark also takes a RST for the third packet; a RST is no round trip.
        if (initialRttNs === undefined || outcome !== "established") continue;
        assertEquals(rtt.total_ns, initialRttNs, key);
      }
    });
  }
}

import { assert, assertEquals } from "@std/assert";
import { decodeFrame, FrameVerdict, LinkType } from "../../../src/wire/frame.ts";
import { ecnSetup, Segment, TcpFlag } from "../../../src/wire/segment.ts";
import { buildEthernet, buildIpv4, buildIpv6, buildTcp, linuxSynOptions } from "./build_frame.ts";

Deno.test("Segment forgets the frame before", () => {
  const flags = TcpFlag.SYN | TcpFlag.ECE | TcpFlag.CWR;
  const full = buildEthernet({
    tags: [{ etherType: 0x8100, tci: 100 }],
    payload: buildIpv6({ payload: buildTcp({ flags, options: linuxSynOptions() }) }),
  });
  const bare = buildEthernet({ payload: buildIpv4({ payload: buildTcp({ flags: TcpFlag.ACK }) }) });
  const reused = new Segment();
  decodeInto(reused, full);
  assertEquals(ecnSetup(reused.flags), "ecn");
  decodeInto(reused, bare);
  const fresh = new Segment();
  decodeInto(fresh, bare);
  assertEquals(reused, fresh);
});

Deno.test("Segment keeps its arrays, so decoding allocates none", () => {
  const segment = new Segment();
  const { source, destination, options } = segment;
  decodeInto(segment, buildEthernet());
  assert(segment.source === source);
  assert(segment.destination === destination);
  assert(segment.options === options);
});

function decodeInto(segment: Segment, frame: Uint8Array): void {
  const view = new DataView(frame.buffer);
  const verdict = decodeFrame(view, 0, frame.length, frame.length, LinkType.ETHERNET, segment);
  assertEquals(verdict, FrameVerdict.Tcp);
}

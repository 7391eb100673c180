import { assertEquals } from "@std/assert";
import { ChecksumJudge } from "../../../src/wire/checksum_judge.ts";
import { frameVerdictNames, LinkType } from "../../../src/wire/frame.ts";
import { TcpFlag } from "../../../src/wire/segment.ts";
import { buildIpv4, buildTcp, type ChecksumFaults, finished } from "./build_frame.ts";
import { decode } from "./decode.ts";
import { guardedView } from "./guarded_view.ts";

const { SYN, ACK, RST } = TcpFlag;
const PSEUDO = { pseudoLength: 20 };

interface Sent {
  flags?: number;
  from?: string;
  place?: number;
  data?: number;
  captured?: number;
  /** Undefined: both checksums 0. */
  faults?: ChecksumFaults;
}

/** The verdicts on packets, one after another. */
function judge(...packets: Sent[]): string[] {
  const judge = new ChecksumJudge(1);
  return packets.map(
    ({ flags = SYN, from = "192.0.2.1", place = 1, data = 0, captured, faults }) => {
      const payload = buildTcp({ flags, payload: new Uint8Array(data) });
      const plain = buildIpv4({ source: from, payload });
      const packet = faults === undefined ? plain : finished(plain, faults);
      const { segment } = decode({ bytes: packet, linkType: LinkType.RAW, captured });
      const view = guardedView(packet.subarray(0, captured), 32);
      return frameVerdictNames[judge.judge(view, segment, place)];
    },
  );
}

const right = (fields: Sent = {}): Sent => ({ faults: {}, ...fields });
const wrong = (fields: Sent = {}): Sent => ({ faults: { tcp: 7 }, ...fields });

Deno.test("ChecksumJudge throws away a wrong checksum of a host that sends right ones", () => {
  assertEquals(judge(right(), wrong({ flags: ACK })), ["tcp", "bad_tcp_checksum"]);
  assertEquals(judge(right(), wrong({ flags: RST })), ["tcp", "bad_tcp_checksum"]);
  assertEquals(judge(right(), wrong()), ["tcp", "bad_tcp_checksum"]);
  assertEquals(judge(right(), right({ faults: { ip: 3 } })), ["tcp", "bad_ip_checksum"]);
  assertEquals(judge(right(), right({ faults: { ip: 3, tcp: 3 } })), ["tcp", "bad_ip_checksum"]);
  // One that the adapter would have to finish, of a host that does not leave it to that.
  assertEquals(judge(right(), { flags: ACK, faults: PSEUDO }), ["tcp", "bad_tcp_checksum"]);
  // Of a host whose adapter finishes them: not a wrong one.
  assertEquals(judge({ faults: PSEUDO }, wrong({ flags: ACK })), ["tcp", "bad_tcp_checksum"]);
});

Deno.test("ChecksumJudge believes hosts whose checksums come unfinished or all wrong", () => {
  const offloading = [{}, { faults: PSEUDO }, { flags: ACK, faults: PSEUDO }, { flags: ACK }];
  assertEquals(judge(...offloading), ["tcp", "tcp", "tcp", "tcp"]);
  // Linux finishes its RSTs itself, and leaves the rest to the adapter.
  const refuses = [right({ flags: RST | ACK }), { flags: SYN | ACK, faults: PSEUDO }];
  assertEquals(judge(...refuses), ["tcp", "tcp"]);
  // A tool gave the host another address and left the checksums.
  assertEquals(
    judge(wrong(), wrong({ flags: ACK }), wrong(), right(), wrong()),
    Array(5).fill("tcp"),
  );
});

Deno.test("ChecksumJudge knows hosts apart, and the places where they were captured", () => {
  assertEquals(judge(right(), wrong({ from: "192.0.2.2", flags: ACK })), ["tcp", "tcp"]);
  assertEquals(judge(right(), wrong({ place: 2, flags: ACK })), ["tcp", "tcp"]);
  // Captured before an adapter that finishes them, and behind one.
  const forwarded = [{ faults: PSEUDO }, right({ place: 2 }), { flags: ACK, faults: PSEUDO }];
  assertEquals(judge(...forwarded), ["tcp", "tcp", "tcp"]);
  // Both in one place.
  const mixed = [{ faults: PSEUDO }, right(), { flags: ACK, faults: PSEUDO }];
  assertEquals(judge(...mixed), ["tcp", "tcp", "tcp"]);
});

Deno.test("ChecksumJudge believes data, and what was not captured whole", () => {
  assertEquals(judge(right(), wrong({ flags: ACK, data: 9 })), ["tcp", "tcp"]);
  assertEquals(judge(right(), wrong({ flags: ACK, captured: 40 })), ["tcp", "bad_tcp_checksum"]);
  const cut = wrong({ flags: ACK, data: 9, captured: 45 });
  assertEquals(judge(right(), cut), ["tcp", "tcp"]);
  // The header's own is judged all the same.
  const header = { flags: ACK, data: 9, faults: { ip: 3 } };
  assertEquals(judge(right(), header), ["tcp", "bad_ip_checksum"]);
});

Deno.test("ChecksumJudge is not talked out of it by a few forged packets", () => {
  const good = Array.from({ length: 20 }, () => right());
  const forged = Array.from({ length: 19 }, () => wrong());
  const verdicts = judge(...good, ...forged, wrong({ flags: ACK }));
  assertEquals(verdicts.at(-1), "bad_tcp_checksum");
  // RSTs do not count, however many.
  const resets = Array.from({ length: 200 }, () => wrong({ flags: RST }));
  assertEquals(judge(right(), ...resets, wrong({ flags: ACK })).at(-1), "bad_tcp_checksum");
});

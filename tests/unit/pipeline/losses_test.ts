import { assertEquals } from "@std/assert";
import {
  addLosses,
  countReasons,
  describeDiscarded,
  encodeLosses,
  LOSS_PLACES,
  subtractLosses,
} from "../../../src/pipeline/losses.ts";

Deno.test("LOSS_PLACES has every place of the path from ring to output once", () => {
  assertEquals(LOSS_PLACES.map(({ name, isLoss }) => [name, isLoss]), [
    ["capture_packets", true],
    ["ring_packets", true],
    ["interface_gaps", true],
    ["refused_namespaces", true],
    ["recursion_misses", true],
    ["kernel_map_records", true],
    ["kernel_lines", true],
    ["kernel_away_ms", true],
    ["half_open_evicted", true],
    ["same_tuple_evicted", true],
    ["contradicted_handshakes", true],
    ["unread_lines", true],
    ["output_records", true],
    ["kept_handshakes", true],
    ["written_packets", true],
    ["rotated_records", false],
    ["uncaptured_handshakes", false],
    ["late_kernel_records", false],
    ["late_accepts", false],
    ["filter_half_open", false],
    ["unexpected_packets", false],
    ["undecoded_packets", false],
    ["discarded_packets", false],
    ["untimed_packets", false],
    ["disordered_packets", false],
    ["repeated_records", false],
    ["uncompared_records", false],
  ]);
});

Deno.test("describeDiscarded says how many packets decide nothing, and why", () => {
  assertEquals(describeDiscarded({ not_ip: 3 }), undefined);
  assertEquals(
    describeDiscarded({ bad_tcp_checksum: 1 }),
    "1 packet decides nothing: the host that receives it throws it away (1 bad_tcp_checksum)",
  );
  assertEquals(
    describeDiscarded({ other_host: 2, not_ip: 1, lone_fragment: 1 }),
    "3 packets decide nothing: the host that receives them throws them away " +
      "(2 other_host, 1 lone_fragment)",
  );
});

Deno.test("countReasons counts what is thrown away apart from what is not decoded", () => {
  const reasons = { not_ip: 2, bad_tcp_checksum: 3, ethertype_0x88e5_macsec: 1, lone_fragment: 4 };
  assertEquals(countReasons(reasons), { undecoded_packets: 3, discarded_packets: 7 });
});

Deno.test("addLosses adds place by place, and knows no sum where one was not counted", () => {
  const losses = { ring_packets: 1, output_records: 2, written_packets: undefined };
  assertEquals(addLosses(losses), losses);
  assertEquals(addLosses({}, losses), losses);
  const more = { ring_packets: undefined, output_records: 3, written_packets: 4, late_accepts: 0 };
  const sum = {
    ring_packets: undefined,
    output_records: 5,
    written_packets: undefined,
    late_accepts: 0,
  };
  assertEquals(addLosses(losses, more), sum);
  assertEquals(losses, { ring_packets: 1, output_records: 2, written_packets: undefined });
});

Deno.test("subtractLosses gives what came since, where both are counted", () => {
  const before = { ring_packets: 1, output_records: 2, written_packets: undefined };
  const now = { ring_packets: 4, output_records: 2, written_packets: 5, late_accepts: 3 };
  const since = {
    ring_packets: 3,
    output_records: 0,
    written_packets: undefined,
    late_accepts: 3,
  };
  assertEquals(subtractLosses(now, before), since);
  assertEquals(subtractLosses({ ring_packets: undefined }, before), { ring_packets: undefined });
  // What is counted roughly may be counted lower later.
  assertEquals(subtractLosses({ ring_packets: 0 }, before), { ring_packets: 0 });
});

Deno.test("encodeLosses gives the counts in the order of LOSS_PLACES", () => {
  const text = JSON.stringify(encodeLosses({ late_accepts: 1, ring_packets: 2 }));
  assertEquals(text, '{"ring_packets":2,"late_accepts":1}');
});

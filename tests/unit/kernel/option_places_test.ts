import { assertEquals } from "@std/assert";
import { type Btf, readBtf } from "../../../src/kernel/btf.ts";
import { optionPlaces } from "../../../src/kernel/option_places.ts";
import { buildBtf, KIND_INT, KIND_STRUCT, member, type Type } from "./build_btf.ts";

const INT: Type = { name: "int", kind: KIND_INT, size: 4, more: [32] };
/** A bit field: its width stands above its offset. */
const bits = (name: string, offset: number, width: number) => member(name, 1, width << 24 | offset);

/** A kernel's description, in which the members of a name may lie elsewhere, or not be. */
function describe(moved: Record<string, number | undefined> = {}): Btf {
  const placed = (offsets: Record<string, readonly [offset: number, width: number]>) =>
    Object.entries(offsets).flatMap(([name, [offset, width]]) => {
      const at = name in moved ? moved[name] : offset;
      return at === undefined ? [] : [bits(name, at, width)];
    });
  return readBtf(buildBtf([
    INT,
    {
      name: "tcp_options_received",
      kind: KIND_STRUCT,
      size: 24,
      flag: true,
      entries: placed({
        ts_recent: [32, 0],
        saw_tstamp: [128, 1],
        tstamp_ok: [129, 1],
        dsack: [130, 1],
        wscale_ok: [131, 1],
        sack_ok: [132, 3],
        smc_ok: [135, 1],
        snd_wscale: [136, 4],
        rcv_wscale: [140, 4],
      }),
    },
    {
      name: "tcp_sock",
      kind: KIND_STRUCT,
      size: 2304,
      flag: true,
      entries: placed({
        save_syn: [1599 * 8, 2],
        syn_data: [1599 * 8 + 2, 1],
        syn_data_acked: [1599 * 8 + 6, 1],
        rx_opt: [1708 * 8, 0],
      }),
    },
  ]))!;
}

Deno.test("optionPlaces finds the bytes in which a kernel keeps what was negotiated", () => {
  // As in Debian's 6.1.
  assertEquals(optionPlaces(describe()), { negotiated: 1724, synData: 1599 });
  assertEquals(optionPlaces(describe({ rx_opt: 1756 * 8 })), { negotiated: 1772, synData: 1599 });
});

Deno.test("optionPlaces finds nothing where a bit lies elsewhere or is not there", () => {
  const cases: Record<string, number | undefined>[] = [
    { tstamp_ok: 128 },
    { wscale_ok: 130 },
    { sack_ok: 133 },
    { snd_wscale: 140 },
    { rcv_wscale: 136 },
    { syn_data: 1599 * 8 + 3 },
    { syn_data_acked: 1600 * 8 + 6 },
    { tstamp_ok: undefined },
    { rcv_wscale: undefined },
    { syn_data_acked: undefined },
    { rx_opt: undefined },
  ];
  for (const moved of cases) assertEquals(optionPlaces(describe(moved)), undefined);
  assertEquals(optionPlaces(readBtf(buildBtf([INT]))!), undefined);
});

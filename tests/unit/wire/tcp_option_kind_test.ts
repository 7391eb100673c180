import { assertEquals } from "@std/assert";
import {
  isFastOpenExperiment,
  isOptionSizeAllowed,
  OPTION_END,
  OPTION_IMPOSSIBLE,
  OPTION_OVERRUN,
  optionSize,
  TcpOptionKind,
  tcpOptionName,
} from "../../../src/wire/tcp_option_kind.ts";
import { guardedView } from "./guarded_view.ts";

Deno.test("tcpOptionName names kinds and owns up to unknown ones", () => {
  const cases: { input: number; expected: string }[] = [
    { input: 0, expected: "end_of_option_list" },
    { input: 2, expected: "mss" },
    { input: 5, expected: "sack" },
    { input: 8, expected: "timestamps" },
    { input: 34, expected: "tcp_fast_open" },
    { input: 174, expected: "accecn_order_1" },
    { input: 254, expected: "experiment_2" },
    { input: 99, expected: "unknown" },
  ];
  for (const { input, expected } of cases) assertEquals(tcpOptionName(input), expected);
});

Deno.test("tcpOptionName gives every kind of TcpOptionKind a name of its own", () => {
  const names = Object.values(TcpOptionKind).map(tcpOptionName);
  assertEquals(names.includes("unknown"), false);
  assertEquals(new Set(names).size, names.length);
});

Deno.test("optionSize steps over an option or says why it cannot", () => {
  const cases: { input: number[]; expected: number }[] = [
    { input: [0, 9], expected: OPTION_END },
    { input: [1, 9], expected: 1 },
    { input: [1], expected: 1 },
    { input: [2, 4, 5, 0xb4], expected: 4 },
    { input: [2, 4, 5], expected: OPTION_OVERRUN },
    { input: [2], expected: OPTION_OVERRUN },
    { input: [2, 0, 5, 0xb4], expected: OPTION_IMPOSSIBLE },
    { input: [2, 1, 5, 0xb4], expected: OPTION_IMPOSSIBLE },
    { input: [99, 2], expected: 2 },
  ];
  for (const { input, expected } of cases) {
    const view = guardedView(new Uint8Array(input), 8);
    assertEquals(optionSize(view, 8, 8 + input.length), expected, `${input}`);
  }
});

Deno.test("isOptionSizeAllowed holds each kind to its RFC", () => {
  const cases: { kind: number; data?: number[]; expected: number[] }[] = [
    { kind: TcpOptionKind.MSS, expected: [4] },
    { kind: TcpOptionKind.WINDOW_SCALE, expected: [3] },
    { kind: TcpOptionKind.SACK_PERMITTED, expected: [2] },
    { kind: TcpOptionKind.TIMESTAMPS, expected: [10] },
    // The third byte's upper half is the subtype: MP_CAPABLE, MP_JOIN, REMOVE_ADDR.
    { kind: TcpOptionKind.MPTCP, data: [0x01], expected: [4, 12, 20, 22, 24] },
    { kind: TcpOptionKind.MPTCP, data: [0x10], expected: [12, 16, 24] },
    { kind: TcpOptionKind.MPTCP, data: [0x40], expected: range(3, 24) },
    { kind: TcpOptionKind.FAST_OPEN, expected: [2, 6, 8, 10, 12, 14, 16, 18] },
    { kind: TcpOptionKind.ACCECN_ORDER_0, expected: range(2, 24) },
    { kind: TcpOptionKind.EXPERIMENT_2, expected: range(2, 24) },
    {
      kind: TcpOptionKind.EXPERIMENT_2,
      data: [0xf9, 0x89],
      // Below 4 bytes there is no identifier, so it is somebody else's experiment.
      expected: [2, 3, 4, 8, 10, 12, 14, 16, 18, 20],
    },
    { kind: 99, expected: range(2, 24) },
  ];
  for (const { kind, data = [], expected } of cases) {
    const allowed = range(2, 24).filter((size) => {
      const bytes = new Uint8Array(size);
      bytes.set([kind, size, ...data].slice(0, size));
      return isOptionSizeAllowed(guardedView(bytes, 4), 4, size);
    });
    assertEquals(allowed, expected, `kind ${kind}`);
  }
});

Deno.test("isFastOpenExperiment wants kind 254 and the whole identifier", () => {
  const cases: { input: number[]; expected: boolean }[] = [
    { input: [254, 4, 0xf9, 0x89], expected: true },
    { input: [253, 4, 0xf9, 0x89], expected: false },
    { input: [252, 4, 0xf9, 0x89], expected: false },
    { input: [254, 4, 0xf9, 0x88], expected: false },
    { input: [254, 3, 0xf9], expected: false },
    { input: [254, 2], expected: false },
  ];
  for (const { input, expected } of cases) {
    const view = guardedView(new Uint8Array(input), 4);
    assertEquals(isFastOpenExperiment(view, 4, input.length), expected, `${input}`);
  }
});

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

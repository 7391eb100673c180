import { assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  listTcpOptions,
  readTcpOptions,
  type TcpOption,
  TcpOptions,
} from "../../../src/wire/tcp_options.ts";
import { concat, linuxSynOptions, tcpOption, u16, u32 } from "./build_frame.ts";
import { guardedView } from "./guarded_view.ts";

const START = 16;

function read(bytes: Uint8Array, truncated = false): TcpOptions {
  const options = new TcpOptions();
  readTcpOptions(guardedView(bytes, START), START, bytes.length, options, truncated);
  return options;
}

/** All fields absent but for `present`. */
function absentBut(present: Partial<TcpOptions>): TcpOptions {
  return Object.assign(new TcpOptions(), present);
}

Deno.test("readTcpOptions reads each option of a handshake", () => {
  const cookie = new Uint8Array(8).fill(0xc0);
  const cases: { input: Uint8Array; expected: Partial<TcpOptions> }[] = [
    { input: new Uint8Array(0), expected: {} },
    { input: tcpOption(2, u16(65535)), expected: { mss: 65535 } },
    { input: tcpOption(2, u16(0)), expected: { mss: 0 } },
    { input: tcpOption(3, [0]), expected: { windowScale: 0 } },
    // RFC 7323 §2.3: receivers use 14 at most, the raw value is what was sent.
    { input: tcpOption(3, [255]), expected: { windowScale: 255 } },
    { input: tcpOption(4), expected: { sackPermitted: true } },
    {
      input: tcpOption(8, u32(0xfffffffe, 0x80000001)),
      expected: { timestamps: true, timestampValue: 0xfffffffe, timestampEcho: 0x80000001 },
    },
    { input: tcpOption(34), expected: { fastOpenCookieLength: 0 } },
    { input: tcpOption(34, cookie), expected: { fastOpenCookieLength: 8 } },
    { input: tcpOption(254, u16(0xf989)), expected: { fastOpenCookieLength: 0 } },
    { input: tcpOption(254, concat(u16(0xf989), cookie)), expected: { fastOpenCookieLength: 8 } },
    // RFC 7413 §7 names kind 254 alone, and so does Linux.
    { input: tcpOption(253, concat(u16(0xf989), cookie)), expected: {} },
    { input: tcpOption(254, u16(0xe2d4)), expected: {} },
    // Of RFC 8684, then of RFC 6824, with a key in the SYN.
    { input: tcpOption(30, [0x01, 0x81]), expected: { mptcpSubtype: 0 } },
    { input: tcpOption(30, [0x00, 0x81, ...cookie]), expected: { mptcpSubtype: 0 } },
    { input: tcpOption(30, [0x10, 1, ...cookie]), expected: { mptcpSubtype: 1 } },
    { input: tcpOption(30, [0x80, 0, ...cookie]), expected: { mptcpSubtype: 8 } },
    { input: tcpOption(172), expected: { accEcnOption: true } },
    { input: tcpOption(174, new Uint8Array(9)), expected: { accEcnOption: true } },
    { input: tcpOption(99, [1, 2, 3]), expected: {} },
    {
      input: linuxSynOptions({ mss: 1400, windowScale: 9, timestampValue: 5, timestampEcho: 6 }),
      expected: {
        mss: 1400,
        windowScale: 9,
        sackPermitted: true,
        timestamps: true,
        timestampValue: 5,
        timestampEcho: 6,
      },
    },
  ];
  for (const { input, expected } of cases) {
    assertEquals(read(input), absentBut(expected), `${input}`);
  }
});

Deno.test("TcpOptions.reset makes every option absent, and the cut too", () => {
  const options = read(concat(linuxSynOptions(), tcpOption(34), tcpOption(4, [1])), true);
  assertEquals([options.truncated, options.malformed], [true, true]);
  options.reset();
  assertEquals(options, new TcpOptions());
});

Deno.test("readTcpOptions takes the last of repeated options and stops at the end of the list", () => {
  const input = concat(
    tcpOption(2, u16(1)),
    tcpOption(2, u16(2)),
    new Uint8Array([0]),
    tcpOption(2, u16(3)),
  );
  assertEquals(read(input), absentBut({ mss: 2 }));
});

Deno.test("readTcpOptions takes of repeated options what Linux takes", () => {
  const [mss, none] = [tcpOption(2, u16(1460)), tcpOption(2, u16(0))];
  const cookie = tcpOption(34, new Uint8Array(8));
  const cases: { input: Uint8Array; expected: Partial<TcpOptions> }[] = [
    { input: concat(mss, none), expected: { mss: 1460 } },
    { input: concat(none, mss), expected: { mss: 1460 } },
    // Wrong lengths leave what came before, but for an even one of a cookie.
    { input: concat(mss, tcpOption(2, [1])), expected: { mss: 1460, malformed: true } },
    {
      input: concat(cookie, tcpOption(34, [1, 2, 3])),
      expected: { fastOpenCookieLength: 8, malformed: true },
    },
    { input: concat(cookie, tcpOption(34, [1, 2])), expected: { malformed: true } },
    {
      input: concat(cookie, tcpOption(254, [0xf9, 0x89, 1, 2])),
      expected: { malformed: true },
    },
    {
      input: concat(cookie, tcpOption(254, u16(0xf989))),
      expected: { fastOpenCookieLength: 0 },
    },
  ];
  for (const { input, expected } of cases) {
    assertEquals(read(input), absentBut(expected), `${input}`);
  }
});

Deno.test("readTcpOptions reads around an option of a wrong length", () => {
  const wrong: { input: Uint8Array }[] = [
    { input: tcpOption(2, [1]) },
    { input: tcpOption(3) },
    { input: tcpOption(4, [1]) },
    { input: tcpOption(8, u32(1)) },
    { input: tcpOption(30) },
    { input: tcpOption(30, [0x01]) },
    { input: tcpOption(30, [0x01, 0x81, 1]) },
    { input: tcpOption(30, [0x10, 1]) },
    { input: tcpOption(34, [1, 2]) },
    { input: tcpOption(34, [1, 2, 3, 4, 5]) },
    { input: tcpOption(34, new Uint8Array(18)) },
    { input: tcpOption(254, [0xf9, 0x89, 1]) },
  ];
  for (const { input } of wrong) {
    const options = read(concat(tcpOption(2, u16(1460)), input, tcpOption(3, [7])));
    assertEquals(options, absentBut({ mss: 1460, windowScale: 7, malformed: true }), `${input}`);
  }
});

Deno.test("readTcpOptions stops at an impossible length and keeps what came before", () => {
  const cases = [[2], [2, 0], [2, 1], [2, 4, 5], [99, 255], [8, 10, 0, 0, 0, 0, 0, 0, 0]];
  for (const tail of cases) {
    const options = read(concat(tcpOption(3, [7]), new Uint8Array(tail)));
    assertEquals(options, absentBut({ windowScale: 7, malformed: true }), `${tail}`);
  }
});

Deno.test("readTcpOptions calls an option behind the capture cut, not malformed", () => {
  const cases: { input: number[]; malformed: boolean }[] = [
    { input: [], malformed: false },
    { input: [2], malformed: false },
    { input: [2, 4, 5], malformed: false },
    { input: [2, 1], malformed: true },
    { input: [3, 4, 0, 0], malformed: true },
  ];
  for (const { input, malformed } of cases) {
    const expected = absentBut({ truncated: true, malformed });
    assertEquals(read(new Uint8Array(input), true), expected, `${input}`);
  }
});

Deno.test("readTcpOptions forgets the options of the segment before", () => {
  const options = new TcpOptions();
  for (const bytes of [linuxSynOptions(), tcpOption(34), new Uint8Array([2, 0])]) {
    readTcpOptions(new DataView(bytes.buffer), 0, bytes.length, options, true);
  }
  readTcpOptions(new DataView(new ArrayBuffer(0)), 0, 0, options);
  assertEquals(options, new TcpOptions());
});

Deno.test("listTcpOptions lists known and unknown options with their data", () => {
  const input = concat(
    tcpOption(2, u16(1460)),
    new Uint8Array([1]),
    tcpOption(99, [7, 8]),
    tcpOption(254, u16(0xf989)),
    tcpOption(254, u16(0xe2d4)),
    new Uint8Array([0, 0xaa]),
  );
  const expected: TcpOption[] = [
    option(2, "mss", [5, 0xb4]),
    option(1, "no_operation", []),
    option(99, "unknown", [7, 8]),
    option(254, "tcp_fast_open_experiment", [0xf9, 0x89]),
    option(254, "experiment_2", [0xe2, 0xd4]),
    option(0, "end_of_option_list", []),
  ];
  assertEquals(plain(listTcpOptions(input)), plain(expected));
});

Deno.test("listTcpOptions keeps a malformed option with what is left of it", () => {
  const cases: { input: number[]; expected: TcpOption[] }[] = [
    { input: [], expected: [] },
    { input: [2], expected: [option(2, "mss", [], true)] },
    { input: [2, 0, 1, 1], expected: [option(2, "mss", [1, 1], true)] },
    { input: [2, 4, 5], expected: [option(2, "mss", [5], true)] },
    {
      input: [3, 4, 7, 7, 4, 2],
      expected: [option(3, "window_scale", [7, 7], true), option(4, "sack_permitted", [])],
    },
  ];
  for (const { input, expected } of cases) {
    assertEquals(plain(listTcpOptions(new Uint8Array(input))), plain(expected), `${input}`);
  }
});

Deno.test("listTcpOptions reads a part of a buffer", () => {
  const bytes = new Uint8Array([9, 9, 3, 3, 7, 9]).subarray(2, 5);
  assertEquals(plain(listTcpOptions(bytes)), plain([option(3, "window_scale", [7])]));
});

Deno.test("listTcpOptions and readTcpOptions agree on any bytes, at any place", () => {
  const kind = fc.constantFrom(0, 1, 2, 3, 4, 8, 30, 34, 99, 172, 253, 254);
  const part = fc.oneof(
    fc.tuple(kind, fc.uint8Array({ maxLength: 12 })).map(([k, data]) => tcpOption(k, data)),
    fc.uint8Array({ maxLength: 4 }),
    fc.constant(new Uint8Array([1])),
  );
  const area = fc.array(part, { maxLength: 6 }).map((parts) => concat(...parts).subarray(0, 40));
  fc.assert(
    fc.property(fc.oneof(area, fc.uint8Array({ maxLength: 40 })), (bytes) => {
      const options = read(bytes);
      const list = listTcpOptions(bytes);
      assertEquals(options.malformed, list.some(({ malformed }) => malformed));
      const last = (wanted: number) =>
        list.findLast(({ kind, malformed }) => kind === wanted && !malformed)?.data;
      const sizes = list.filter(({ kind, malformed }) => kind === 2 && !malformed)
        .map(({ data }) => data[0] << 8 | data[1]);
      assertEquals(options.mss, sizes.findLast((size) => size > 0) ?? sizes[0] ?? -1);
      assertEquals(options.windowScale, last(3)?.[0] ?? -1);
      assertEquals(options.sackPermitted, last(4) !== undefined);
      assertEquals(options.timestamps, last(8) !== undefined);
      assertEquals(options.mptcpSubtype, last(30) === undefined ? -1 : last(30)![0] >> 4);
      assertEquals(options.accEcnOption, (last(172) ?? last(174)) !== undefined);
      const walked = list.at(-1)?.malformed ? list.slice(0, -1) : list;
      const rebuilt = concat(
        ...walked.map(({ kind, data }) =>
          kind < 2 ? new Uint8Array([kind]) : tcpOption(kind, data)
        ),
      );
      assertEquals([...rebuilt], [...bytes.subarray(0, rebuilt.length)]);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("readTcpOptions reads back arbitrary values", () => {
  fc.assert(fc.property(
    fc.nat({ max: 0xffff }),
    fc.nat({ max: 0xff }),
    fc.nat({ max: 0xffffffff }),
    fc.nat({ max: 0xffffffff }),
    (mss, windowScale, timestampValue, timestampEcho) => {
      const values = { mss, windowScale, timestampValue, timestampEcho };
      const expected = absentBut({ ...values, sackPermitted: true, timestamps: true });
      assertEquals(read(linuxSynOptions(values)), expected);
    },
  ));
});

function option(kind: number, name: string, data: number[], malformed = false): TcpOption {
  return { kind, name, data: new Uint8Array(data), malformed };
}

/** Data as plain numbers, so that a part of a buffer equals a whole one. */
function plain(options: TcpOption[]): unknown[] {
  return options.map(({ data, ...rest }) => ({ ...rest, data: [...data] }));
}

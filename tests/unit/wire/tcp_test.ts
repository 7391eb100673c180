import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { Segment } from "../../../src/wire/segment.ts";
import { decodeTcp } from "../../../src/wire/tcp.ts";
import { type FrameVerdict, frameVerdictNames } from "../../../src/wire/verdict.ts";
import { buildTcp, linuxSynOptions, type TcpFields, tcpOption } from "./build_frame.ts";
import { guardedView } from "./guarded_view.ts";

const AT = 24;

function decode(
  bytes: Uint8Array,
  { captured = bytes.length, segmentLength = bytes.length } = {},
): { verdict: string; segment: Segment } {
  const view = guardedView(bytes.subarray(0, captured), AT);
  const segment = new Segment();
  const verdict: FrameVerdict = decodeTcp(
    view,
    AT,
    AT + captured,
    AT + segmentLength,
    segment,
  );
  return { verdict: frameVerdictNames[verdict], segment };
}

const u16 = fc.nat({ max: 0xffff });
const u32 = fc.nat({ max: 0xffffffff });

Deno.test("decodeTcp reads back arbitrary fields", () => {
  fc.assert(
    fc.property(
      fc.record({
        sourcePort: u16,
        destinationPort: u16,
        sequence: u32,
        acknowledgment: u32,
        flags: fc.nat({ max: 0x1ff }),
        window: u16,
        options: fc.uint8Array({ maxLength: 40 }),
        payload: fc.uint8Array({ maxLength: 30 }),
      }),
      (fields) => {
        const { verdict, segment } = decode(buildTcp(fields));
        assertEquals(verdict, "tcp");
        const { options, payload, ...numbers } = fields;
        for (const [name, value] of Object.entries(numbers)) {
          assertEquals(segment[name as keyof typeof numbers], value, name);
        }
        assertEquals(segment.payloadLength, payload.length);
        assertEquals(segment.optionsOffset, AT + 20);
        assertEquals(segment.optionsLength, Math.ceil(options.length / 4) * 4);
      },
    ),
  );
});

Deno.test("decodeTcp keeps reserved bits out of the flags", () => {
  const bytes = buildTcp({ flags: 0x012 });
  bytes[12] |= 0x0e;
  assertEquals(decode(bytes).segment.flags, 0x012);
});

Deno.test("decodeTcp refuses a header length that cannot be", () => {
  const payload = new Uint8Array(40);
  const cases: {
    fields: TcpFields;
    segmentLength?: number;
    expected: string;
  }[] = [
    { fields: { dataOffset: 0 }, expected: "bad_header_length" },
    { fields: { dataOffset: 4, payload }, expected: "bad_header_length" },
    { fields: { dataOffset: 6 }, expected: "bad_header_length" },
    { fields: { dataOffset: 15, payload }, expected: "tcp" },
    { fields: { dataOffset: 15, payload }, segmentLength: 59, expected: "bad_header_length" },
    { fields: {}, segmentLength: 19, expected: "bad_header_length" },
    { fields: {}, segmentLength: 0, expected: "bad_header_length" },
  ];
  for (const { fields, segmentLength, expected } of cases) {
    const { verdict } = decode(buildTcp(fields), { segmentLength });
    assertEquals(verdict, expected, `${fields.dataOffset} ${segmentLength}`);
  }
});

Deno.test("decodeTcp wants the fixed header captured, at every length", () => {
  const bytes = buildTcp({ options: linuxSynOptions(), payload: new Uint8Array(10) });
  for (let captured = 0; captured <= bytes.length; captured++) {
    const { verdict, segment } = decode(bytes, { captured });
    assertEquals(verdict, captured < 20 ? "truncated_tcp" : "tcp", `${captured}`);
    if (captured < 20) continue;
    assertEquals(segment.sequence, 1000);
    assertEquals(segment.payloadLength, 10);
    assertEquals(segment.optionsLength, Math.min(captured, 40) - 20);
    assertEquals(segment.options.truncated, captured < 40);
    assertEquals(segment.options.malformed, false);
    assertEquals(segment.options.mss, captured < 24 ? -1 : 1460);
    assertEquals(segment.options.windowScale, captured < 40 ? -1 : 7);
  }
});

Deno.test("decodeTcp keeps a segment whose options are malformed", () => {
  const { verdict, segment } = decode(buildTcp({ options: tcpOption(2, [1]) }));
  assertEquals(verdict, "tcp");
  assertEquals(segment.options.malformed, true);
});

import { assertEquals } from "@std/assert";
import { type EcnSetup, ecnSetup, TcpFlag } from "../../../src/wire/tcp_flags.ts";

const { FIN, SYN, RST, PSH, ACK, URG, ECE, CWR, AE } = TcpFlag;

Deno.test("TcpFlag has the nine control bits in header order", () => {
  assertEquals(
    [FIN, SYN, RST, PSH, ACK, URG, ECE, CWR, AE] as number[],
    Array.from({ length: 9 }, (_, bit) => 1 << bit),
  );
});

Deno.test("ecnSetup reads a SYN and a SYN-ACK by RFC 3168 and RFC 9768", () => {
  const cases: { input: number; expected: EcnSetup | undefined }[] = [
    { input: SYN, expected: undefined },
    { input: SYN | ECE, expected: undefined },
    { input: SYN | CWR, expected: undefined },
    { input: SYN | AE, expected: undefined },
    { input: SYN | CWR | ECE, expected: "ecn" },
    { input: SYN | AE | CWR | ECE, expected: "accecn" },
    { input: SYN | ACK, expected: undefined },
    { input: SYN | ACK | ECE, expected: "ecn" },
    { input: SYN | ACK | CWR, expected: "accecn" },
    { input: SYN | ACK | CWR | ECE, expected: "accecn" },
    { input: SYN | ACK | AE, expected: "accecn" },
    { input: SYN | ACK | AE | ECE, expected: undefined },
    { input: SYN | ACK | AE | CWR, expected: "accecn" },
    { input: SYN | ACK | AE | CWR | ECE, expected: undefined },
    { input: ACK | ECE, expected: undefined },
    { input: CWR | ECE, expected: undefined },
  ];
  for (const { input, expected } of cases) assertEquals(ecnSetup(input), expected, `${input}`);
});

import { assertEquals } from "@std/assert";
import { IcmpError, isPortUnreachable, unreachableSymbol } from "../../../src/wire/icmp.ts";

Deno.test("unreachableSymbol names what says that a packet reached nobody, and nothing else", () => {
  const cases: [isIpv6: boolean, type: number, code: number, symbol: string | undefined][] = [
    [false, 3, 0, "ICMP_NET_UNREACH"],
    [false, 3, 1, "ICMP_HOST_UNREACH"],
    [false, 3, 3, "ICMP_PORT_UNREACH"],
    [false, 3, 4, undefined],
    [false, 3, 13, "ICMP_PKT_FILTERED"],
    [false, 3, 15, "ICMP_PREC_CUTOFF"],
    [false, 3, 16, undefined],
    [false, 11, 0, "ICMP_EXC_TTL"],
    [false, 5, 1, undefined],
    [false, 1, 0, undefined],
    [true, 1, 0, "ICMPV6_NOROUTE"],
    [true, 1, 4, "ICMPV6_PORT_UNREACH"],
    [true, 1, 6, "ICMPV6_REJECT_ROUTE"],
    [true, 1, 7, undefined],
    [true, 2, 0, undefined],
    [true, 3, 0, "ICMPV6_EXC_HOPLIMIT"],
    [true, 11, 0, undefined],
  ];
  for (const [isIpv6, type, code, symbol] of cases) {
    const error = Object.assign(new IcmpError(), { isIpv6, type, code });
    assertEquals(unreachableSymbol(error), symbol, `${isIpv6} ${type} ${code}`);
  }
});

Deno.test("isPortUnreachable is true of the port alone", () => {
  const symbols = ["ICMP_PORT_UNREACH", "ICMPV6_PORT_UNREACH", "ICMP_HOST_UNREACH"];
  assertEquals(symbols.map(isPortUnreachable), [true, true, false]);
});

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { parseListening } from "../../../../src/linux/listeners/find_listeners.ts";
import { formatAddress } from "../../../../src/wire/address.ts";

// As the kernel prints them (tcp4_seq_show in net/ipv4/tcp_ipv4.c, tcp6_seq_show in
// net/ipv6/tcp_ipv6.c). The lines of IPv4 are padded to 149 characters.
const TCP =
  `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 18023 1 0000000000000000 100 0 0 10 0
   1: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4294967297 1 ffff9a0c81d10000 100 0 0 10 0
   2: 0100007F:1F90 0100007F:CB52 01 00000000:00000000 00:00000000 00000000  1000        0 18125 1 0000000000000000 20 4 30 10 -1
   3: 0100007F:CB52 0100007F:1F90 06 00000000:00000000 03:00000E4A 00000000     0        0 0 3 0000000000000000
  10: BF64A8C0:FFFF 00000000:0000 0A 00000000:00000005 00:00000000 00000000    33        0 18200 1 0000000000000000 100 0 0 10 5
`.replaceAll(/.+$/gm, (line) => line.padEnd(149));
const TCP6 =
  `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 20001 1 0000000000000000 100 0 0 10 0
   1: 00000000000000000000000001000000:01BB 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 20002 1 0000000000000000 100 0 0 10 0
   2: B80D0120000000000000000001000000:22B8 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 20003 1 0000000000000000 100 0 0 10 0
   3: 0000000000000000FFFF00000100007F:1F91 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 20004 1 0000000000000000 100 0 0 10 0
   4: 0000000000000000FFFF00000100007F:1F91 0000000000000000FFFF00000100007F:A000 01 00000000:00000000 00:00000000 00000000     0        0 20005 1 0000000000000000 20 4 30 10 -1
`;

function parse(text: string): string[] {
  return parseListening(text, 7).map(({ netns, address, port, inode, ...rest }) => {
    const { uid } = rest;
    assertEquals([netns, uid], [7, inode === 18200 ? 33 : 0]);
    assertEquals(rest, { device: undefined, transparent: false, uid, cgroup: undefined });
    return `${inode}: ${formatAddress(address)} ${port}`;
  });
}

Deno.test("parseListening finds the listening sockets of /proc/net/tcp", () => {
  assertEquals(parse(TCP), [
    "18023: 127.0.0.1 8080",
    "4294967297: 0.0.0.0 22",
    "18200: 192.168.100.191 65535",
  ]);
});

Deno.test("parseListening finds the listening sockets of /proc/net/tcp6", () => {
  assertEquals(parse(TCP6), [
    "20001: :: 80",
    "20002: ::1 443",
    "20003: 2001:db8::1 8888",
    "20004: 127.0.0.1 8081",
  ]);
});

Deno.test("parseListening leaves out lines that it does not understand", () => {
  const [header, good] = TCP.split("\n");
  const cases = [
    "",
    header,
    good, // Alone it stands where the header does.
    `${header}\n${good.slice(0, 30)}`,
    `${header}\n${good.slice(0, 90)}`,
    ...[
      ["0100007F:1F90 ", "0100007F "],
      ["0100007F:1F90", "0100007F:"],
      ["0100007F:1F90", "0100007F:1F9Z"],
      ["0100007F:1F90", "0100007F:11F90"],
      ["0100007F:1F90", "0100007F:1F90:1"],
      ["0100007F:1F90", "100007F:1F90"],
      ["0100007F:1F90", "0100007F0100007F:1F90"],
      ["0100007F:1F90", "0100007G:1F90"],
      [" 0A ", " 0B "],
      [" 0A ", " A "],
      [" 18023 ", " 0 "],
      [" 18023 ", " x "],
      ["     0        0 18023", "     x        0 18023"],
    ].map(([text, garbage]) => {
      assert(good.includes(text));
      return `${header}\n${good.replace(text, garbage)}`;
    }),
  ];
  for (const text of cases) assertEquals(parse(text), [], text);
  // What stands around such a line is found all the same.
  assertEquals(parse(`${header}\ngarbage\n${good}\n\0`), ["18023: 127.0.0.1 8080"]);
});

Deno.test("parseListening never throws and finds only whole sockets", () => {
  const damaged = fc.tuple(
    fc.constantFrom(TCP, TCP6),
    fc.array(fc.tuple(fc.nat(), fc.string({ maxLength: 3 })), { maxLength: 20 }),
  ).map(([text, changes]) =>
    changes.reduce<string>((changed, [at, put]) => {
      const place = at % changed.length;
      return changed.slice(0, place) + put + changed.slice(place + 1);
    }, text)
  );
  fc.assert(
    fc.property(fc.oneof(damaged, fc.string()), (text) => {
      for (const { inode, address, port, uid } of parseListening(text, 1)) {
        assert(inode > 0 && uid >= 0);
        assertEquals(address.length, 4);
        assert(Number.isInteger(port) && port >= 0 && port <= 65_535);
      }
    }),
    { numRuns: 500 },
  );
});

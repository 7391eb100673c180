import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { communityId } from "../../../src/record/community_id.ts";
import { formatAddress, parseAddress } from "../../../src/wire/address.ts";

interface Vector {
  client: string;
  clientPort: number;
  server: string;
  serverPort: number;
  expected: string;
}

/** The specification's baseline for TCP, seed 0 (github.com/corelight/community-id-spec). */
const SPECIFIED: Vector[] = [
  {
    client: "128.232.110.120",
    clientPort: 34855,
    server: "66.35.250.204",
    serverPort: 80,
    expected: "1:LQU9qZlK+B5F3KDmev6m5PMibrg=",
  },
];

/** What TShark 4.0.17 says (`-T fields -e communityid`) of captured and of built packets. */
const MEASURED: Vector[] = [
  {
    client: "192.168.100.191",
    clientPort: 52312,
    server: "172.67.149.132",
    serverPort: 443,
    expected: "1:CQrbKbilRtXBgWq8rbsuAIaK0f0=",
  },
  {
    client: "10.0.2.15",
    clientPort: 53258,
    server: "198.185.159.144",
    serverPort: 80,
    expected: "1:m816As2Nq/uSVBCccEk9i3hk+Lo=",
  },
  {
    client: "31.133.146.248",
    clientPort: 16433,
    server: "66.228.43.12",
    serverPort: 80,
    expected: "1:WNrs7JvefzZXCZ2t4veEjV5woQQ=",
  },
  // The first byte differs beyond the sign bit: addresses are compared unsigned.
  {
    client: "1.2.3.4",
    clientPort: 443,
    server: "200.2.3.4",
    serverPort: 50000,
    expected: "1:wBHuOo8PxxNKAT2qUNV0WJ1Apx0=",
  },
  // Equal addresses: the ports decide.
  {
    client: "127.0.0.1",
    clientPort: 34204,
    server: "127.0.0.1",
    serverPort: 12345,
    expected: "1:gf1ZAkB0/MXSLAzmwF6ip88qOnQ=",
  },
  {
    client: "127.0.0.1",
    clientPort: 80,
    server: "127.0.0.1",
    serverPort: 34855,
    expected: "1:IbiZHbwv8gnB8o2hd88gVyYm3KY=",
  },
  // Port 0 is a port like another.
  {
    client: "10.0.0.1",
    clientPort: 0,
    server: "10.0.0.2",
    serverPort: 443,
    expected: "1:kSrdrB5+6ALEApJ6ksk2YuxYCqk=",
  },
  {
    client: "10.0.0.2",
    clientPort: 40000,
    server: "10.0.0.1",
    serverPort: 0,
    expected: "1:wSC1HQsbjgvJC6Nu9WQlNewGJaw=",
  },
  {
    client: "10.0.0.1",
    clientPort: 0,
    server: "10.0.0.2",
    serverPort: 0,
    expected: "1:CjNPP3Zn05ZloAyaNq3bu4jULMA=",
  },
  // Both ends the same socket.
  {
    client: "10.0.0.1",
    clientPort: 5000,
    server: "10.0.0.1",
    serverPort: 5000,
    expected: "1:2ITuLg2CHWkOegx9aPwedEb/8H4=",
  },
  {
    client: "2604:1380:4091:ce00::b",
    clientPort: 36539,
    server: "2604:1380:4091:ce00::d",
    serverPort: 45393,
    expected: "1:WILr/Drbr5YGe3W0ZUIEDSgqVB4=",
  },
  {
    client: "2001:470:e5bf:dead:4957:2174:e82c:4887",
    clientPort: 63943,
    server: "2607:f8b0:400c:c03::1a",
    serverPort: 25,
    expected: "1:/qFaeAR+gFe1KYjMzVDsMv+wgU4=",
  },
  {
    client: "fe80::1",
    clientPort: 40000,
    server: "2001:db8::2",
    serverPort: 443,
    expected: "1:MQSBYsmYxHIocgNwmzMhhRTOzcE=",
  },
  {
    client: "::1",
    clientPort: 40000,
    server: "::1",
    serverPort: 40001,
    expected: "1:D6oafmI7wa4owSifHNvFln57slo=",
  },
];

function idOf({ client, clientPort, server, serverPort }: Vector, ipv4: boolean): string {
  const [from, to] = [parseAddress(client)!, parseAddress(server)!];
  return communityId(from, clientPort, to, serverPort, ipv4).toString();
}

Deno.test("communityId is the specification's", () => {
  for (const vector of SPECIFIED) {
    assertEquals(idOf(vector, !vector.client.includes(":")), vector.expected, vector.client);
  }
});

Deno.test("communityId is Wireshark's", () => {
  for (const vector of MEASURED) {
    assertEquals(idOf(vector, !vector.client.includes(":")), vector.expected, vector.client);
  }
});

Deno.test("communityId of mapped addresses in IPv6 packets is of all 16 bytes", () => {
  const vector = {
    client: "::ffff:10.0.0.1",
    clientPort: 40000,
    server: "::ffff:10.0.0.2",
    serverPort: 443,
    expected: "1:MRRtQuvhlXChFeHtGVNInnc4xA0=",
  };
  assertEquals(idOf(vector, false), vector.expected);
});

Deno.test("communityId is the same in both directions and of nothing else", () => {
  const word = fc.nat({ max: 0xffffffff });
  const address = fc.oneof(
    fc.array(word, { minLength: 4, maxLength: 4 }).map((words) => new Uint32Array(words)),
    fc.constant(new Uint32Array([0, 0, 0, 1])),
  );
  const port = fc.nat({ max: 0xffff });
  fc.assert(fc.property(address, port, address, port, (client, clientPort, server, serverPort) => {
    const forth = `${communityId(client, clientPort, server, serverPort, false)}`;
    assertEquals(`${communityId(server, serverPort, client, clientPort, false)}`, forth);
    // Ports stay with their addresses.
    fc.pre(clientPort !== serverPort && formatAddress(client) !== formatAddress(server));
    const crossed = `${communityId(client, serverPort, server, clientPort, false)}`;
    assertEquals(crossed === forth, false);
  }));
});

import { assertEquals, assertThrows } from "@std/assert";
import { UsageError } from "../../../../src/cli/usage.ts";
import {
  parseCgroup,
  parseChoice,
  parseDuration,
  parseInteger,
  parseLatency,
  parseNetwork,
  parsePorts,
  parseSize,
  parseSymbol,
  parseUser,
} from "../../../../src/cli/flags/values.ts";
import { formatAddress } from "../../../../src/wire/address.ts";

type Parse = (text: string) => unknown;

const GOOD: { name: string; parse: Parse; cases: Record<string, unknown> }[] = [
  {
    name: "parseDuration",
    parse: (text) => parseDuration("duration", text),
    cases: {
      "10": 10_000,
      "10s": 10_000,
      "500ms": 500,
      "2m": 120_000,
      "1h": 3_600_000,
      "1.5s": 1_500,
      "0.5ms": 0.5,
      "007s": 7_000,
      // The longest that a timer takes, in each unit.
      "2147483647ms": 2_147_483_647,
      "596h": 596 * 3_600_000,
    },
  },
  {
    name: "parseSize",
    parse: (text) => parseSize("rotate-size", text),
    cases: {
      "1": 1,
      "1B": 1,
      "500K": 500_000,
      "500k": 500_000,
      "100M": 100_000_000,
      "100MB": 100_000_000,
      "2G": 2_000_000_000,
      "2gb": 2_000_000_000,
      "9007199254740991": Number.MAX_SAFE_INTEGER,
    },
  },
  {
    name: "parseInteger",
    parse: (text) => parseInteger("port", text, 1, 65_535),
    cases: { "1": 1, "65535": 65_535, "0443": 443 },
  },
  {
    name: "parseInteger from 0",
    parse: (text) => parseInteger("rotate-keep", text, 0, 1e15),
    cases: { "0": 0, "999999999999999": 999_999_999_999_999 },
  },
  {
    name: "parseChoice",
    parse: (text) => parseChoice("color", text, ["red", "green"]),
    cases: { red: "red", green: "green" },
  },
  {
    name: "parseNetwork",
    parse: (text) => {
      const { words, bits } = parseNetwork("host", text);
      return `${formatAddress(words)} ${bits}`;
    },
    cases: {
      "192.0.2.1": "192.0.2.1 128",
      "192.0.2.0/24": "192.0.2.0 120",
      "192.0.2.1/24": "192.0.2.1 120",
      "0.0.0.0/0": "0.0.0.0 96",
      "192.0.2.1/32": "192.0.2.1 128",
      "10.0.0.0/08": "10.0.0.0 104",
      "::1": "::1 128",
      "::/0": ":: 0",
      "2001:db8::/32": "2001:db8:: 32",
      "2001:DB8::1/128": "2001:db8::1 128",
      // Written as IPv6, an IPv4 address has the prefix of IPv6.
      "::ffff:192.0.2.0/120": "192.0.2.0 120",
      "::ffff:192.0.2.1": "192.0.2.1 128",
    },
  },
  {
    name: "parsePorts",
    parse: (text) => {
      const { first, last } = parsePorts("port", text);
      return `${first} ${last}`;
    },
    cases: {
      "80": "80 80",
      "1": "1 1",
      "1-65535": "1 65535",
      "8000-8999": "8000 8999",
      "00080-81": "80 81",
      "7-7": "7 7",
    },
  },
  {
    name: "parseLatency",
    parse: (text) => parseLatency("slower-than", text),
    cases: {
      "10ms": 10_000_000,
      "500us": 500_000,
      // Both characters that Unicode has for micro.
      "500\u00b5s": 500_000,
      "500\u03bcs": 500_000,
      "1ns": 1,
      "1.5s": 1_500_000_000,
      "0.25ms": 250_000,
    },
  },
  {
    name: "parseSymbol",
    parse: (text) => parseSymbol("reason", text),
    cases: {
      "ECONNREFUSED": "ECONNREFUSED",
      "econnrefused": "ECONNREFUSED",
      "Accept_Queue_Full": "ACCEPT_QUEUE_FULL",
      "REASON_92": "REASON_92",
    },
  },
  {
    name: "parseCgroup",
    parse: (text) => parseCgroup("cgroup", text),
    cases: {
      "/system.slice/ssh.service": "/system.slice/ssh.service",
      "/system.slice//": "/system.slice",
      "/": "",
      "/a b": "/a b",
    },
  },
  {
    name: "parseUser",
    parse: (text) => parseUser("user", text, (name) => name === "www-data" ? 33 : undefined),
    cases: {
      "www-data": 33,
      "0": 0,
      "4294967294": 4_294_967_294,
      "www": undefined,
    },
  },
];

for (const { name, parse, cases } of GOOD) {
  Deno.test(`${name} reads what it is for`, () => {
    for (const [text, expected] of Object.entries(cases)) {
      assertEquals(parse(text), expected, text);
    }
  });
}

/** Wrong whatever is asked for. */
const NEVER_RIGHT = [
  "",
  " ",
  "abc",
  "-1",
  "+1",
  "1e3",
  "0x10",
  "1,0",
  "NaN",
  "Infinity",
  "１",
  "1\n",
];

const BAD: { name: string; flag: string; parse: Parse; texts: string[]; advice: string }[] = [
  {
    name: "parseDuration",
    flag: "duration",
    parse: (text) => parseDuration("duration", text),
    texts: [
      ...[
        "0",
        "0s",
        "0.0h",
        "10S",
        "10 s",
        " 10",
        "10s ",
        "10sec",
        "10us",
        "1d",
        ".5s",
        "1.s",
        "s",
      ],
      // Longer than a timer takes, which would fire at once.
      ...["2147483648ms", "597h", "1000h", "9".repeat(400)],
    ],
    advice: "give a time such as 10s, 500ms, 2m or 1h, at most 596h",
  },
  {
    name: "parseSize",
    flag: "rotate-size",
    parse: (text) => parseSize("rotate-size", text),
    texts: [
      ...["0", "0G", "1.5M", "1 M", "1MiB", "1T", "M", "B", "-1M"],
      ...["9007199254740992", "9007200G", "9".repeat(400)],
    ],
    advice: "give a size above zero such as 100M, 500K or 2G",
  },
  {
    name: "parseInteger",
    flag: "port",
    parse: (text) => parseInteger("port", text, 1, 65_535),
    texts: ["0", "65536", "70000", "80.0", "80 ", "80-90", "http", "0000000000000080"],
    advice: "give a whole number from 1 to 65535",
  },
  {
    name: "parsePorts",
    flag: "port",
    parse: (text) => parsePorts("port", text),
    texts: [
      "0",
      "0-80",
      "65536",
      "80-65536",
      "80-81-82",
      "80 - 81",
      "http",
      "000080",
    ],
    advice: "give its number, from 1 to 65535, or a range such as 8000-8999",
  },
  {
    name: "parseLatency",
    flag: "slower-than",
    parse: (text) => parseLatency("slower-than", text),
    texts: [
      "0",
      "0ms",
      "0.0s",
      "-1ms",
      "1m",
      "10 ms",
      "10MS",
      ".5s",
      "1.s",
      "ms",
      "9".repeat(400) + "s",
    ],
    advice: "give a time above zero with its unit, such as 10ms, 500us or 1.5s",
  },
  {
    name: "parseChoice",
    flag: "color",
    parse: (text) => parseChoice("color", text, ["red", "green"]),
    texts: ["blue", "", "redgreen", "toString"],
    advice: "give one of red, green",
  },
  {
    name: "parseNetwork",
    flag: "host",
    parse: (text) => parseNetwork("host", text),
    texts: [
      ...[
        "1.2.3",
        "1.2.3.4.5",
        "256.0.0.1",
        "1.2.3.4/24/8",
      ],
      ...["/8", "01.2.3.4", "::1::", "fe80::1%eth0", "[::1]", "example.org", "1.2.3.4:80"],
    ],
    advice: "give an IP address or a network such as 192.0.2.0/24; names are not looked up",
  },
];

for (const { name, flag, parse, texts, advice } of BAD) {
  Deno.test(`${name} refuses what it cannot read, quotes it and says what is right`, () => {
    for (const text of [...NEVER_RIGHT, ...texts]) {
      const { message } = assertThrows(() => parse(text), UsageError, undefined, text);
      assertEquals(message, `Cannot use --${flag} "${text}": ${advice}`);
    }
  });
}

Deno.test("parseChoice proposes what was meant", () => {
  for (const text of ["Red", "re", "red ", "erd"]) {
    const error = assertThrows(() => parseChoice("color", text, ["red", "green"]), UsageError);
    assertEquals(error.message, `Cannot use --color "${text}": did you mean red?`);
  }
});

Deno.test("parseNetwork says which bits a network has", () => {
  const texts = [
    "1.2.3.4/33",
    "1.2.3.4/-1",
    "1.2.3.4/",
    "1.2.3.4/0x8",
    "1.2.3.4/8.0",
    "1.2.3.4/ 8",
  ];
  for (const text of [...texts, "1.2.3.4/1000", "::/129", "::1/"]) {
    const advice = "the bits behind / are 0 to 32 of an IPv4 address, 0 to 128 of an IPv6 address";
    assertThrows(
      () => parseNetwork("host", text),
      UsageError,
      `Cannot use --host "${text}": ${advice}`,
    );
  }
});

Deno.test("parsePorts proposes the range that was meant", () => {
  for (
    const [text, range] of [["80-", "80-65535"], ["80:90", "80-90"], [
      "1..9",
      "1-9",
    ]]
  ) {
    const { message } = assertThrows(() => parsePorts("port", text), UsageError);
    assertEquals(message.split(" such as ")[1], range);
  }
});

Deno.test("parseLatency asks for the unit of a bare number", () => {
  const { message } = assertThrows(() => parseLatency("slower-than", "1.5"), UsageError);
  assertEquals(
    message,
    'Cannot use --slower-than "1.5": give its unit, such as 1.5ms, 1.5us or 1.5s',
  );
});

Deno.test("parsePorts refuses a range that has no port in it", () => {
  assertThrows(
    () => parsePorts("port", "8999-8000"),
    UsageError,
    'Cannot use --port "8999-8000": no port is in that range; the lower one stands first',
  );
});

Deno.test("parseCgroup refuses what is no path from the root", () => {
  for (const text of ["ssh.service", "../x", "", "~"]) {
    assertThrows(() => parseCgroup("cgroup", text), UsageError, `Cannot use --cgroup "${text}"`);
  }
});

Deno.test("parseUser refuses an id that no user can have", () => {
  const nobody = () => undefined;
  assertThrows(() => parseUser("user", "4294967295", nobody), UsageError, "from 0 to 4294967294");
});

Deno.test("parseSymbol refuses what is no symbol", () => {
  for (const text of ["9", "A-B", "ECONNREFUSED ", "connection refused", "\u00c9CONN", ""]) {
    assertThrows(() => parseSymbol("reason", text), UsageError, `Cannot use --reason "${text}"`);
  }
});

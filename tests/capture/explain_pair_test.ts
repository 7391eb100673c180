// `explain --pair` of records, stores and captures of two hosts: both ends on one ladder.
// Covers src/cli/explain_pair.ts
// Covers src/explain/pair_search.ts
// Covers src/files/held_input.ts
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Ending } from "../../src/cli/ending.ts";
import { explainPair as tellPair } from "../../src/cli/explain_pair.ts";
import { TcpFlag } from "../../src/wire/segment.ts";
import { buildConversation, type Said } from "../unit/explain/build_conversation.ts";
import { linuxSynOptions } from "../unit/wire/build_frame.ts";
import { makeDisk, makeFolder, NO_MOUNTS } from "../netns/disk.ts";
import { skippableTest } from "../netns/namespace.ts";
import { type Fate, type Host, makePairs } from "./made_pairs.ts";

const MAIN = new URL("../../src/main.ts", import.meta.url).pathname;
const { SYN, ACK } = TcpFlag;
const HOSTS: readonly Host[] = [
  { name: "web1", address: "10.0.0.10", aheadNs: 0, driftPpb: 0 },
  // Hours ahead: what belongs together is found by numbers, not by times.
  { name: "db1", address: "10.0.1.10", aheadNs: 3 * 3_600e9, driftPpb: 1_700 },
];

async function explainPair(...args: readonly string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", MAIN, "explain", "--pair", ...args],
    env: { LC_ALL: "C.UTF-8" },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { status: code, text: decoder.decode(stdout), said: decoder.decode(stderr) };
}

/** The files of a made-up fleet of two hosts. */
function writeFleet(path: string, count: number) {
  const { fates, textOf, statusOf } = makePairs(HOSTS, count, 60);
  const files = HOSTS.map((host) => {
    const file = `${path}/${host.name}.ndjson`;
    Deno.writeTextFileSync(file, textOf(host.name) + statusOf(host));
    return file;
  });
  return { fates, files };
}

Deno.test("explain --pair tells both ends of what records of two hosts have", async (t) => {
  using folder = makeFolder();
  const { fates, files } = writeFleet(folder.path, 1_500);
  const cases: [what: string, is: (fate: Fate) => boolean, says: RegExp[]][] = [
    [
      "the answer was lost",
      ({ verdict, isTranslated }) => verdict === "answer_lost" && !isTranslated,
      [/: answer_lost$/m, /✗── \[SYN, ACK\]/, /All 6 of them were lost/, /The way back lost it/],
    ],
    [
      "through a NAT, by both initial sequence numbers",
      ({ verdict, isTranslated, networkRttNs }) =>
        verdict === "established" && isTranslated && networkRttNs !== undefined,
      [
        /joined +by both initial sequence numbers/,
        /NAT +the server's host sees the client as 192\.0\.2\.1:/,
        /network RTT +[\d.]+ µs/,
        /way there +[\d.]+ µs +SYN, give or take [\d.]+ µs/,
        /way back +[\d.]+ µs +SYN-ACK, give or take [\d.]+ µs/,
      ],
    ],
    [
      "a SYN was lost and sent again",
      ({ verdict, synsLost, isTranslated }) =>
        verdict === "established" && synsLost === 1 && !isTranslated,
      [/2 were sent and 1 came: 1 lost on the way/, /what was lost on the way was sent again/],
    ],
    [
      "every SYN was lost, and the other host was watching",
      ({ verdict }) => verdict === "syn_lost",
      [/was watching and saw no SYN: it was lost on the way there \(syn_lost\)/],
    ],
    [
      "refused, and the other host saw nothing",
      ({ verdict }) => verdict === "refused_on_the_way",
      [/something on the way refused \(refused_on_the_way\)/],
    ],
  ];
  for (const [what, is, says] of cases) {
    await t.step(what, async () => {
      const fate = fates.find(is)!;
      const { status, text, said } = await explainPair(
        ...files,
        ...["--role", "client", "--traced-on", fate.client, "--port", String(fate.port)],
      );
      assertEquals([status, said], [0, ""], what);
      const flat = text.replaceAll(/\n +/g, " ");
      for (const each of says) assertMatch(/\$\/m?$/.test(String(each)) ? text : flat, each);
    });
  }
  await t.step("the delay of each way lies within its bounds", async () => {
    const fate = fates.find(({ networkRttNs, client }) =>
      networkRttNs !== undefined && client === "web1"
    )!;
    const { text } = await explainPair(...files, "--role", "client", "--port", String(fate.port));
    const flat = text.replaceAll(/\n +/g, " ");
    // Of the made-up network: 200 to 250 µs from web1, 150 to 200 back.
    for (const [way, least, most] of [["way there", 200, 250], ["way back", 150, 200]] as const) {
      const [, at, give] = new RegExp(`${way} +([\\d.]+) µs.*?give or take ([\\d.]+) µs`).exec(
        flat,
      )!;
      assertEquals(Number(at) + Number(give) >= least && Number(at) - Number(give) <= most, true);
    }
  });
  await t.step("an end that two tracers of its host told is one", async () => {
    const fate = fates.find(({ verdict }) => verdict === "answer_lost")!;
    const { status, text } = await explainPair(...files, ...files, "--port", String(fate.port));
    assertEquals(status, 0);
    assertMatch(text, /: answer_lost$/m);
  });
  await t.step("pipes and what a shell substitutes are told as the files are", async () => {
    const { port } = fates.find(({ verdict }) => verdict === "answer_lost")!;
    const [shell, script] = ["bash", 'cat "$1" | "$0" run -A --quiet "${@:3}" - <(cat "$2")'];
    const words = [MAIN, "explain", "--pair", "--port", String(port)];
    const { stdout, stderr } = await new Deno.Command(shell, {
      args: ["-c", script, Deno.execPath(), ...files, ...words],
      env: { LC_ALL: "C.UTF-8" },
    }).output();
    const decoder = new TextDecoder();
    const { text } = await explainPair("--port", String(port), ...files);
    assertEquals([decoder.decode(stderr), decoder.decode(stdout)], ["", text]);
    assertMatch(text, /: answer_lost$/m);
  });
  await t.step("a host's end alone is told as such", async () => {
    const fate = fates.find(({ verdict }) => verdict === "answer_lost")!;
    const one = files[HOSTS.findIndex(({ name }) => name === fate.client)];
    const { status, text } = await explainPair(one, "--port", String(fate.port));
    assertEquals(status, 0);
    assertStringIncludes(text.replaceAll(/\n +/g, " "), "where it failed is not known");
  });
});

/** A packet of the handshake below. */
function said(by: Said["by"], atNs: number, isAnswer: boolean, timestampValue?: number): Said {
  const [own, peer] = by === "client" ? [1_000, 5_000] : [5_000, 1_000];
  const isSyn = timestampValue !== undefined;
  return {
    ...{
      atNs,
      by,
      flags: (isSyn ? SYN : 0) | (isAnswer ? ACK : 0),
      sequence: own + (isSyn ? 0 : 1),
    },
    ...isAnswer && { acknowledgment: peer + 1 },
    ...isSyn && { options: linuxSynOptions({ timestampValue }) },
  };
}

const AT_CLIENT: readonly Said[] = [
  said("client", 0, false, 1),
  said("client", 1_000_000_000, false, 1_001),
  said("server", 1_000_600_000, true, 77),
  said("client", 1_000_610_000, true),
];
const AT_SERVER: readonly Said[] = [
  said("client", 0, false, 1_001),
  said("server", 20_000, true, 77),
  said("client", 610_000, true),
];

Deno.test("explain --pair tells of captures at both ends which packet was lost, whatever their order", async () => {
  using folder = makeFolder();
  const [a, b] = ([["a", AT_CLIENT], ["b", AT_SERVER]] as const).map(([name, packets]) => {
    const path = `${folder.path}/${name}.pcapng`;
    Deno.writeFileSync(path, buildConversation({ packets }));
    return path;
  });
  const texts = await Promise.all([explainPair(a, b), explainPair(b, a)]);
  for (const { status, text } of texts) {
    assertEquals(status, 0);
    const rows = text.split("\n").filter((line) => /^ \d {2}/.test(line));
    assertMatch(rows[0], /^ 1 {2}0\.000000000 s {2}├── \[SYN\].*─✗ +│$/);
    assertMatch(rows[1], /^ 2 {2}1\.000000000 s {2}├── \[SYN\].*►│ {2}0\.000000000 s$/);
    assertMatch(rows[2], /^ 3 {2}1\.000600000 s {2}│◄── \[SYN, ACK\].*┤ {2}0\.000020000 s$/);
    assertMatch(rows[3], /^ 4 {2}1\.000610000 s {2}├── \[ACK\].*►│ {2}0\.000610000 s$/);
    assertEquals(rows.length, 4);
    assertStringIncludes(text, "Sent again: the same Seq as packet 1.");
    assertStringIncludes(text.replaceAll(/\n +/g, " "), `client  192.0.2.1:40000, on ${a}`);
  }
});

/** What a router adds to the numbers of the client, and of the server, as it passes them on. */
const REWRITTEN = { client: 0x7fff_1234, server: 0x0abc_def0 };

/** What the other side of a router that rewrites initial sequence numbers sees of packets. */
function rewritten(packets: readonly Said[]): Said[] {
  return packets.map((each) => {
    const [own, peer] = each.by === "client"
      ? [REWRITTEN.client, REWRITTEN.server]
      : [REWRITTEN.server, REWRITTEN.client];
    const { sequence = 0, acknowledgment } = each;
    return {
      ...each,
      sequence: sequence + own >>> 0,
      ...acknowledgment !== undefined && { acknowledgment: acknowledgment + peer >>> 0 },
    };
  });
}

Deno.test("explain --pair joins nothing where a router rewrites initial sequence numbers, and says so", async () => {
  using folder = makeFolder();
  const [a, b] = ([["a", AT_CLIENT], ["b", rewritten(AT_SERVER)]] as const).map(
    ([name, packets]) => {
      const path = `${folder.path}/${name}.pcapng`;
      Deno.writeFileSync(path, buildConversation({ packets }));
      return path;
    },
  );
  for (const [one, other] of [[a, b], [b, a]]) {
    const { status, text } = await explainPair(one, other);
    assertEquals(status, 0);
    const flat = text.replaceAll(/\n +/g, " ");
    assertStringIncludes(flat, `Only ${one} told of it with this initial sequence number.`);
    assertStringIncludes(flat, `${other} told of one with the same addresses and ports`);
    assertStringIncludes(flat, "nothing tells which ends belong together");
    assertEquals(text.includes("of two hosts"), false);
  }
});

/** What a router on the way has of it, which sees its own address as the client's. */
const AT_ROUTER: readonly Said[] = [
  said("client", 0, false, 1_001),
  said("server", 300_000, true, 77),
  said("client", 450_000, true),
].map((each) => ({ ...each, ends: { client: { address: "203.0.113.9", port: 50_000 } } }));

Deno.test("explain --pair joins the client's own end, not that of a router on the way", async () => {
  using folder = makeFolder();
  const translated = AT_SERVER.map((each, at) => ({ ...each, ends: AT_ROUTER[at].ends }));
  const [a, router, b] = ([
    ["a", AT_CLIENT.slice(1).map((each) => ({ ...each, atNs: each.atNs - 1_000_000_000 }))],
    ["router", AT_ROUTER],
    ["b", translated],
  ] as const).map(([name, packets]) => {
    const path = `${folder.path}/${name}.pcapng`;
    Deno.writeFileSync(path, buildConversation({ packets }));
    return path;
  });
  for (const files of [[b, a, router], [b, router, a]]) {
    const { status, text } = await explainPair(...files);
    assertEquals(status, 0);
    const flat = text.replaceAll(/\n +/g, " ");
    assertStringIncludes(flat, `client  192.0.2.1:40000, on ${a}`);
    assertStringIncludes(flat, "by both initial sequence numbers");
  }
});

Deno.test("explain --pair says what it cannot do", async (t) => {
  using folder = makeFolder();
  const { files } = writeFleet(folder.path, 50);
  const cases: [args: string[], status: number, says: RegExp][] = [
    [
      [],
      2,
      /Cannot use --pair of what happens here: give captures, records or stores of both hosts/,
    ],
    [["-", "-"], 2, /Cannot read "-" twice: standard input ends once/],
    [[files[0], "--port", "1"], 1, /no handshake of a client or a server that matches is there/],
    [[`${folder.path}/none`], 1, /none": /],
  ];
  for (const [args, status, says] of cases) {
    await t.step(args.join(" ") || "nothing", async () => {
      const run = await explainPair(...args);
      assertEquals([run.status, run.text], [status, ""]);
      assertMatch(run.said, says);
    });
  }
  await t.step("no room for what can be read once", async () => {
    const run = await new Deno.Command("bash", {
      args: [
        "-c",
        'echo | "$0" run -A --quiet "$1" explain --pair - "$2"',
        ...[Deno.execPath(), MAIN, files[0]],
      ],
      env: { TMPDIR: `${folder.path}/none` },
    }).output();
    assertEquals(run.code, 1);
    assertMatch(
      new TextDecoder().decode(run.stderr),
      /^synsnoop: Cannot read standard input: it can be read once alone, and a copy cannot be written: .*; let TMPDIR name a folder with room, or give a file\n$/,
    );
  });
});

skippableTest("explain --pair fills no folder with what never ends", NO_MOUNTS, async () => {
  using folder = makeFolder();
  const { files } = writeFleet(folder.path, 50);
  using disk = makeDisk("size=8m");
  const run = await new Deno.Command("bash", {
    args: [
      "-c",
      'yes | "$0" run -A --quiet "$1" explain --pair - "$2"',
      ...[Deno.execPath(), MAIN, files[0]],
    ],
    env: { TMPDIR: disk.path },
  }).output();
  assertEquals(run.code, 1);
  assertEquals(
    new TextDecoder().decode(run.stderr),
    "synsnoop: Cannot read standard input: it can be read once alone, and a copy takes more than half of the " +
      "room that was left in the folder for temporary files; let TMPDIR name a folder with more room, or give " +
      "a file\n",
  );
  // What fits is told as before, and leaves nothing there.
  const told = await new Deno.Command("bash", {
    args: [
      "-c",
      'cat "$2" | "$0" run -A --quiet "$1" explain --pair - "$3"',
      ...[Deno.execPath(), MAIN, ...files],
    ],
    env: { TMPDIR: disk.path },
  }).output();
  assertEquals(told.code, 0);
  assertEquals([...Deno.readDirSync(disk.path)], []);
});

Deno.test("explain --pair tells nothing where it was interrupted before all was read", async (t) => {
  using folder = makeFolder();
  const { files } = writeFleet(folder.path, 50);
  await t.step("while it waits for the end of what can be read once", async () => {
    const fifo = `${folder.path}/fifo`;
    assertEquals((await new Deno.Command("mkfifo", { args: [fifo] }).output()).code, 0);
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", MAIN, "explain", "--pair", fifo],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    // Opens when somebody reads it: it hears signals by then.
    using _writer = await Deno.open(fifo, { write: true });
    child.kill("SIGINT");
    const { code, stderr, stdout } = await child.output();
    assertEquals([code, stdout.length], [1, 0]);
    assertEquals(
      new TextDecoder().decode(stderr),
      `synsnoop: interrupted before "${fifo}" ended, so that nothing can be told\n`,
    );
  });
  await t.step("in a pass over files", async () => {
    const ending = new Ending();
    ending.ask();
    await ending.asked;
    const options = { filter: {}, index: 1, interfaces: [] };
    const { story, hasFailed } = await tellPair(files, new Map(), options, ending);
    assertEquals([story, hasFailed], [undefined, true]);
  });
});

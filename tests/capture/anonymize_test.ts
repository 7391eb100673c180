// What --anonymize writes: nothing of whose the handshakes are, in any form, and what fits together.
// Covers src/files/key_file.ts
import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { readKeyFile } from "../../src/files/key_file.ts";
import { encodeHandshake } from "../../src/record/ndjson.ts";
import type { HandshakeRecord } from "../../src/record/record.ts";
import { CONTEXT, HANDSHAKES } from "../unit/record/sample_handshakes.ts";
import { CAPTURE } from "../golden/sample_capture.ts";

const MAIN = new URL("../../src/main.ts", import.meta.url).pathname;
const folder = await Deno.makeTempDir({ prefix: "synsnoop-anonymize-" });
globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
/** The key of the sample that was published with Crypto-PAn. */
const KEY_DIGITS = "1522178d33a4cf80130a5b1649907d10d8988f837979652762574c2d2a842202";
const keyFile = `${folder}/key`;
await Deno.writeTextFile(keyFile, KEY_DIGITS + "\n", { mode: 0o600 });
const records = `${folder}/records.ndjson`;
const capture = `${folder}/capture.pcap`;
await Deno.writeTextFile(
  records,
  HANDSHAKES.map((handshake) => encodeHandshake(handshake, CONTEXT)).join(""),
);
await Deno.writeFile(capture, CAPTURE);

async function read(...args: string[]): Promise<{ status: number; out: string; said: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "-A", MAIN, "read", ...args],
    env: { LC_ALL: "C.UTF-8" },
    stdin: "null",
  }).output();
  const [out, said] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { status: code, out, said };
}

function recordsIn(out: string): HandshakeRecord[] {
  return out.trim().split("\n").map((line) => JSON.parse(line))
    .filter(({ event }) => event === "handshake");
}

/** Every text by which one could tell whose handshakes these are. */
function secretsOf(out: string): Set<string> {
  const secrets = new Set<string>();
  for (const { host, host_id, network, client, server } of recordsIn(out)) {
    const isOfLoopback = client.address === "::1";
    const hash = isOfLoopback ? undefined : network.community_id;
    for (const text of [host, host_id, hash, network.interface]) {
      if (text !== undefined) secrets.add(text);
    }
    for (const text of network.interfaces ?? []) secrets.add(text);
    const { translated } = network;
    for (const end of [client, server, translated?.client, translated?.server]) {
      if (end !== undefined) secrets.add(end.address);
    }
    for (const { process } of [client, server]) {
      const { comm, cgroup_path, container, thread } = process ?? {};
      for (const text of [comm, container?.id, container?.name, thread?.comm]) {
        if (text !== undefined) secrets.add(text);
      }
      for (const part of cgroup_path?.split("/") ?? []) secrets.add(part);
    }
  }
  // Those that name nobody, and those too short to be searched for among digits.
  for (const text of ["lo", "", "::1", "0.0.0.0"]) secrets.delete(text);
  // This host's own may be a word that stands there anyway, such as "server".
  secrets.delete(Deno.hostname());
  return secrets;
}

const FORMS = [
  "--json",
  "--table",
  "--csv",
  "--stats",
  "--stats --json",
  "--columns client,server,network,host,reason",
  "--fields client.address,server.address,network",
];

for (const [name, file] of [["records", records], ["a capture", capture]]) {
  Deno.test(`read --anonymize leaves nothing of whose they are, of ${name}, in any form`, async () => {
    const secrets = secretsOf((await read(file)).out);
    assert(secrets.size > 8, [...secrets].join());
    for (const form of FORMS) {
      const key = ["--anonymize", "--anonymize-key", keyFile];
      const { status, out } = await read(...form.split(" "), ...key, file);
      assertEquals(status, 0, form);
      for (const [, host] of out.matchAll(/"host":"([^"]*)"/g)) {
        assertMatch(host, /^host-[0-9a-f]{10}$/);
      }
      for (const secret of secrets) {
        const bytes = JSON.stringify(secret).slice(1, -1);
        assert(!out.includes(secret) && !out.includes(bytes), `${secret} in ${form}:\n${out}`);
      }
    }
    // On a terminal it is lines.
    const command = [Deno.execPath(), "run", "--quiet", "-A", MAIN, "read", "--anonymize"];
    const { stdout } = await new Deno.Command("script", {
      args: [
        "-qec",
        [...command, "--wide", file].map((part) => `'${part}'`).join(" "),
        "/dev/null",
      ],
      env: { LC_ALL: "C.UTF-8" },
      stdin: "null",
    }).output();
    const lines = new TextDecoder().decode(stdout);
    assertStringIncludes(lines, "TIME (UTC)");
    for (const secret of secrets) assert(!lines.includes(secret), `${secret} in:\n${lines}`);
  });
}

Deno.test("read --anonymize gives the published addresses, and the same ones in each run by one key", async () => {
  const line = encodeHandshake(HANDSHAKES[0], CONTEXT)
    .replace("192.168.100.191", "128.11.68.132").replace("172.67.149.132", "129.118.74.4");
  const file = `${folder}/published.ndjson`;
  await Deno.writeTextFile(file, line);
  const runs = [
    await read("--anonymize", "--anonymize-key", keyFile, file),
    await read("--anonymize", "--anonymize-key", keyFile, file),
    await read("--anonymize", file),
    await read("--anonymize", file),
  ].map(({ out }) => recordsIn(out)[0]);
  assertEquals([runs[0].client.address, runs[0].server.address], [
    "135.242.180.132",
    "134.136.186.123",
  ]);
  assertEquals(runs[0], runs[1]);
  const hosts = new Set(runs.map(({ host_id, client }) => `${host_id} ${client.address}`));
  assertEquals(hosts.size, 3);
  // Who sees both ends of one handshake by one key can still join them.
  assertEquals([runs[0].client.isn, runs[0].client.port, runs[0].time], [
    HANDSHAKES[0].client.isn,
    HANDSHAKES[0].client.port,
    JSON.parse(line).time,
  ]);
});

Deno.test("read --anonymize filters by the real names, and what it wrote is read like any record", async () => {
  const key = ["--anonymize", "--anonymize-key", keyFile];
  const { out } = await read("--comm", "curl", "--host", "192.168.100.0/24", ...key, records);
  const all = (await read("--comm", "curl", "--host", "192.168.100.0/24", records)).out;
  assertEquals(recordsIn(out).map(({ time }) => time), recordsIn(all).map(({ time }) => time));
  assert(recordsIn(out).length > 1);
  const file = `${folder}/anonymous.ndjson`;
  await Deno.writeTextFile(file, out);
  const again = await read(file);
  assertEquals(recordsIn(again.out), recordsIn(out));
  const { comm } = recordsIn(out)[0].client.process!;
  assertEquals(recordsIn((await read("--comm", comm, file)).out), recordsIn(out));
});

Deno.test("readKeyFile takes 32 bytes and 64 digits, and says what is wrong with all else", async () => {
  const path = `${folder}/some key`;
  const expected = Uint8Array.fromHex(KEY_DIGITS);
  const contents = [expected, KEY_DIGITS, KEY_DIGITS.toUpperCase() + "\n", KEY_DIGITS + "\r\n\n"];
  for (const content of contents) {
    await Deno.writeFile(
      path,
      typeof content === "string" ? new TextEncoder().encode(content) : content,
    );
    await Deno.chmod(path, 0o600);
    assertEquals(readKeyFile(path), { key: expected, openMode: undefined });
  }
  await Deno.chmod(path, 0o640);
  assertEquals(readKeyFile(path).openMode, 0o640);
  const bad: [content: string, says: string][] = [
    ["", "it has 0 bytes and is no key: give 32 random bytes"],
    [KEY_DIGITS.slice(2), "it has 62 bytes"],
    [KEY_DIGITS.replace("1", "g"), "it has 64 bytes"],
    [`${KEY_DIGITS}\n${KEY_DIGITS}`, "it has 129 bytes"],
    ["\0".repeat(1 << 20), "it has 4096 or more bytes"],
  ];
  for (const [content, says] of bad) {
    await Deno.writeTextFile(path, content);
    assertThrows(() => readKeyFile(path), Error, says);
  }
});

Deno.test("read takes a key from a pipe, and says in one line what is wrong with one", async () => {
  const { stdout } = await new Deno.Command("bash", {
    args: [
      ...[
        "-c",
        `"$0" run --quiet -A "$1" read --anonymize --anonymize-key <(echo ${KEY_DIGITS}) "$2"`,
      ],
      ...[Deno.execPath(), MAIN, records],
    ],
    stdin: "null",
  }).output();
  const piped = new TextDecoder().decode(stdout);
  const { out } = await read("--anonymize", "--anonymize-key", keyFile, records);
  assertEquals(recordsIn(piped), recordsIn(out));
  for (
    const [file, says] of [
      [`${folder}/nothing`, "No such file"],
      ["/dev/null", "it has 0 bytes and is no key"],
      ["/dev/zero", "it has 4096 or more bytes and is no key"],
      [folder, "Is a directory"],
    ]
  ) {
    const { status, said } = await read("--anonymize", "--anonymize-key", file, records);
    assertEquals(status, 2, said);
    assertStringIncludes(said, `Cannot use --anonymize-key "${file}": `);
    assertStringIncludes(said, says);
    assertEquals(said.trim().split("\n").length, 1, said);
  }
  await Deno.writeTextFile(`${folder}/open`, KEY_DIGITS, { mode: 0o644 });
  const { said } = await read("--anonymize", "--anonymize-key", `${folder}/open`, records);
  assertStringIncludes(said, "others may use the key");
});

// What a command that reads captures may still do once it has begun to read them.
// Covers src/linux/narrow.ts
import { assertEquals } from "@std/assert";
import { isOrdinary } from "../../src/linux/narrow.ts";
import { Folder } from "../folder.ts";
import { buildRefused } from "./refused_capture.ts";
import { ATTEMPT_COUNT, PERMITTED } from "./try_more.ts";

const MAIN = new URL("../../src/main.ts", import.meta.url).pathname;
const TRY_MORE = new URL("try_more.ts", import.meta.url).pathname;
const HANDSHAKES = 3;

/** Runs the tool, which tries to do more when it opens its first file. */
async function run(...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", "-A", `--preload=${TRY_MORE}`, MAIN, ...args],
    env: { TRY_MORE: "1", LC_ALL: "C.UTF-8" },
    stdin: "null",
  }).output();
  const [out, said] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  const line = said.split("\n").find((line) => line.startsWith(PERMITTED));
  const permitted: string[] | undefined = line && JSON.parse(line.slice(PERMITTED.length));
  return { status: code, out, permitted };
}

Deno.test("what reads captures may do nothing but read, from before it opens one", async (t) => {
  using folder = new Folder();
  const capture = `${folder.path}/capture.pcap`;
  Deno.writeFileSync(
    capture,
    buildRefused({ count: HANDSHAKES, firstPort: 40_000, secondsApart: 600 }),
  );
  const packed = `${capture}.gz`;
  using into = Deno.openSync(packed, { write: true, create: true });
  await new Blob([Deno.readFileSync(capture)]).stream()
    .pipeThrough(new CompressionStream("gzip")).pipeTo(into.writable);

  for (
    const { args, lines } of [
      { args: ["read", capture], lines: HANDSHAKES + 1 },
      // Parts that are loaded when they are needed.
      { args: ["read", packed], lines: HANDSHAKES + 1 },
      { args: ["read", "--stats", "--json", capture], lines: 1 },
      { args: ["read", "--csv", capture], lines: HANDSHAKES + 1 },
      { args: ["explain", capture], lines: undefined },
      { args: ["explain", "--format", "svg", capture], lines: undefined },
      { args: ["report", capture], lines: undefined },
    ]
  ) {
    await t.step(args.slice(0, -1).join(" ") + ` ${args.at(-1)!.split("/").at(-1)}`, async () => {
      const { status, out, permitted } = await run(...args);
      assertEquals([status, permitted], [0, []]);
      if (lines !== undefined) assertEquals(out.split("\n").length - 1, lines);
    });
  }

  await t.step("with a file to write, it keeps what it has", async () => {
    const { status, permitted } = await run("read", "--output", `${folder.path}/out`, capture);
    assertEquals([status, permitted?.length], [0, ATTEMPT_COUNT]);
  });

  await t.step("a link to a file of the kernel's is refused in words", async () => {
    const link = `${folder.path}/link`;
    Deno.symlinkSync("/proc/self/environ", link);
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--no-prompt", "-A", MAIN, "read", link],
      env: { LC_ALL: "C.UTF-8" },
      stdin: "null",
    }).output();
    assertEquals([code, new TextDecoder().decode(stderr)], [
      1,
      `synsnoop: Cannot read "${link}": it leads into /dev, /proc or /sys; ` +
      "give it on standard input\n",
    ]);
  });

  await t.step(
    "of a file of the kernel's too, which Deno opens with all permissions only",
    async () => {
      const child = new Deno.Command("sh", {
        args: ["-c", 'exec "$0" "$@" <"$FILE"', Deno.execPath()]
          .concat("run", "--quiet", "--no-prompt", "-A", MAIN, "read", "/dev/stdin"),
        env: { FILE: capture },
        stdin: "null",
      });
      const { code, stdout } = await child.output();
      assertEquals([code, new TextDecoder().decode(stdout).split("\n").length], [
        0,
        HANDSHAKES + 2,
      ]);
    },
  );
});

Deno.test("isOrdinary tells what Deno opens without all permissions", () => {
  for (const path of ["capture.pcap", "/var/dev/x", "/devices", "-", "/procedure/x"]) {
    assertEquals(isOrdinary(path), true, path);
  }
  for (const path of ["/dev/fd/63", "/dev/stdin", "/proc/self/fd/0", "/sys/x"]) {
    assertEquals(isOrdinary(path), false, path);
  }
});

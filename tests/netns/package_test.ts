// The Debian package in fresh roots of Debian 12 and 13: it comes, works and goes.
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { buildPackage, NO_DPKG } from "../capture/built_package.ts";
import { buildRefused } from "../capture/refused_capture.ts";
import { reasonAgainstRoots } from "../vm/debian_root.ts";
import { DebianChroot } from "./debian_chroot.ts";
import { NO_MOUNTS } from "./disk.ts";
import { Folder } from "../folder.ts";
import { skippableTest } from "./namespace.ts";

/** The tool's own releases, and what their systemd can check of a unit. */
const SUITES = ["bookworm", "trixie"] as const;
const PORT = 47_113;
/** The units, and tenths of systemd's measure of exposure, which is 10 for what has every right. */
const UNITS = { "synsnoop.service": 40, "synsnoop-ship.service": 25 } as const;

const reason = NO_DPKG ?? NO_MOUNTS ?? await reasonAgainstRoots();

let built: Promise<string> | undefined;
const made = new Folder();
addEventListener("unload", () => made[Symbol.dispose]());

/** Everything in the root that is not of the package manager's own accounts. */
async function filesIn(chroot: DebianChroot): Promise<string[]> {
  const apart = ["/dev", "/proc", "/run", "/sys", "/tmp", "/var/lib/dpkg", "/var/log/dpkg.log"];
  const prune = apart.flatMap((path) => ["-path", path, "-prune", "-o"]);
  const { stdout } = await chroot.run("find", "/", ...prune, "-print");
  return stdout.trimEnd().split("\n").sort();
}

async function succeed(chroot: DebianChroot, ...words: string[]): Promise<string> {
  const { status, stdout, stderr } = await chroot.run(...words);
  assertEquals([status, words.join(" "), status === 0 ? "" : stderr], [0, words.join(" "), ""]);
  return stdout;
}

/** Listens and connects once, to itself. */
const CONNECT = `
const listener = Deno.listen({ hostname: "127.0.0.1", port: ${PORT} });
const [taken, made] = await Promise.all([
  listener.accept(),
  Deno.connect({ hostname: "127.0.0.1", port: ${PORT} }),
]);
taken.close();
made.close();
`;

for (const suite of SUITES) {
  skippableTest(`the package comes, works and goes in Debian ${suite}`, reason, async (t) => {
    const debian = await (built ??= buildPackage(made.path));
    await using chroot = await DebianChroot.create(suite);
    const before = await filesIn(chroot);
    await chroot.copy(debian, "/tmp/synsnoop.deb");

    await t.step("it is installed without network, and nothing is started", async () => {
      await succeed(chroot, "dpkg", "--install", "/tmp/synsnoop.deb");
      assertEquals(await succeed(chroot, "dpkg", "--verify", "synsnoop"), "");
      assertEquals((await chroot.run("systemctl", "is-enabled", "synsnoop")).stdout, "disabled\n");
      const { stdout } = await chroot.run(
        "ls",
        "/var/lib/synsnoop",
        "/var/log/synsnoop",
        "/var/cache/synsnoop",
      );
      assertEquals(stdout, "");
    });

    await t.step("read reports the handshakes of a capture", async () => {
      const capture = buildRefused({ count: 3, firstPort: 40_000, secondsApart: 600 });
      await Deno.writeFile(`${made.path}/capture.pcap`, capture);
      await chroot.copy(`${made.path}/capture.pcap`, "/tmp/capture.pcap");
      const lines = (await succeed(chroot, "synsnoop", "read", "/tmp/capture.pcap")).trimEnd();
      const outcomes = lines.split("\n").map((line) => JSON.parse(line).outcome);
      assertEquals(outcomes, ["refused", "refused", "refused", undefined]);
    });

    await t.step("trace reports a handshake from packets and kernel", async () => {
      const child = chroot.spawn(
        ["env", "SYNSNOOP_SETUP=never", "synsnoop", "trace"]
          .concat("--server-port", String(PORT), "--count", "1"),
        { stdout: "piped", stderr: "piped" },
      );
      const stdout = new Response(child.stdout).text();
      let said = "";
      for await (const part of child.stderr.pipeThrough(new TextDecoderStream())) {
        const isReady = /kernel events come from/.test(said);
        said += part;
        if (isReady || !/kernel events come from|no kernel events/.test(said)) continue;
        await succeed(chroot, "/usr/lib/synsnoop/deno", "eval", CONNECT);
      }
      assertEquals([(await child.status).code, said.includes("lost: nothing")], [0, true], said);
      const record = JSON.parse((await stdout).split("\n")[0]);
      assertEquals([record.outcome, record.role], ["established", "local"]);
      assertEquals(record.evidence, ["wire", "kernel"]);
      assertEquals([record.client.process.comm, record.server.process.comm], ["deno", "deno"]);
      assert(record.rtt.client_ns > 0);
    });

    await t.step("as the service it keeps a segment", async () => {
      await succeed(
        ...[chroot, "synsnoop", "trace", "--config", "/etc/synsnoop.toml"] as const,
        ...["--probes", "none", "--duration", "100ms"],
      );
      assertMatch(
        await succeed(chroot, "ls", "/var/lib/synsnoop"),
        /^[\dT-]+\.\S+\.\d+-\d+\.ndjson\n$/,
      );
    });

    await t.step("manuals and configuration are read by who reads such files", async () => {
      for (const page of ["synsnoop", "synsnoop-trace", "synsnoop-read"]) {
        const text = await succeed(chroot, "gzip", "-dc", `/usr/share/man/man1/${page}.1.gz`);
        assertMatch(text, /^\.TH /);
      }
      await succeed(chroot, "logrotate", "--debug", "/etc/logrotate.d/synsnoop");
      for (const unit of Object.keys(UNITS)) {
        const path = `/usr/lib/systemd/system/${unit}`;
        assertEquals((await chroot.run("systemd-analyze", "--man=no", "verify", path)).stderr, "");
      }
    });

    await t.step(
      "ship knows its configuration, and the group that reads the store is there",
      async () => {
        const told = await chroot.run(
          "synsnoop",
          "ship",
          "/none",
          "--config",
          "/etc/synsnoop-ship.toml",
        );
        assertEquals([told.status, told.stdout], [1, ""]);
        assertStringIncludes(told.stderr, 'Cannot read the store "/none": there is no such folder');
        assertMatch(await succeed(chroot, "getent", "group", "synsnoop"), /^synsnoop:x:\d+:$/m);
        const wanted = await succeed(chroot, "cat", "/usr/lib/sysusers.d/synsnoop.conf");
        assertMatch(wanted, /^g synsnoop -$/m);
      },
    );

    for (const [unit, most] of Object.entries(UNITS)) {
      await t.step(`systemd finds ${unit} exposed below ${most / 10}`, async () => {
        const { status, stdout } = await chroot.run(
          ...["systemd-analyze", "security", "--no-pager", "--offline=yes"],
          ...[`--threshold=${most}`, `/usr/lib/systemd/system/${unit}`],
        );
        assertMatch(stdout, /Overall exposure level for synsnoop\S*: \d/);
        assertEquals(status, 0, stdout);
      });
    }

    await t.step("another version keeps the administrator's configuration", async () => {
      await chroot.write("/etc/synsnoop.toml", '[trace]\nserver-port = "443"\n');
      await succeed(chroot, "dpkg", "--install", "/tmp/synsnoop.deb");
      assertStringIncludes(await chroot.read("/etc/synsnoop.toml"), "443");
      await succeed(chroot, "dpkg", "--remove", "synsnoop");
      assertStringIncludes(await chroot.read("/etc/synsnoop.toml"), "443");
    });

    await t.step("purged, it leaves nothing", async () => {
      await succeed(
        chroot,
        "mkdir",
        "--parents",
        "/var/lib/synsnoop",
        "/var/log/synsnoop",
        "/var/cache/synsnoop",
      );
      await succeed(chroot, "dpkg", "--purge", "synsnoop");
      assertEquals(await filesIn(chroot), before);
      assertEquals((await chroot.run("getent", "group", "synsnoop")).stdout, "");
    });
  });
}

// Makes packages and looks at what is in them.
// Covers src/install/package.ts
// Covers src/install/package_files.ts
// Covers src/install/pinned_runtimes.ts
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { Buffer } from "node:buffer";
import {
  type Architecture,
  PINNED_VERSION,
  pinnedRuntime,
  unpackPinned,
} from "../../src/install/pinned_runtimes.ts";
import { integrityOf } from "../../src/install/runtime.ts";
import { findExecutable } from "../../src/linux/host.ts";
import { Folder } from "../folder.ts";
import { skippableTest } from "../netns/namespace.ts";
import { output } from "../vm/command.ts";
import { buildPackage, NO_DPKG, runPackage } from "./built_package.ts";

/** Of the header of an ELF file: the machine it is for (elf(5), e_machine). */
const ELF_MACHINE_AT = 18;
const ELF_MACHINES = { amd64: 62, arm64: 183 } as const;

async function hashOf(path: string): Promise<string> {
  const bytes = await Deno.readFile(path);
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

/** The values of fields of the control file. */
function fieldsOf(path: string, ...names: string[]): Promise<string[]> {
  return Promise.all(
    names.map(async (name) => (await output(["dpkg-deb", "-f", path, name])).trim()),
  );
}

Deno.test("the pinned runtime is the one that the tests run with", () => {
  assertEquals(PINNED_VERSION, Deno.version.deno);
});

Deno.test("unpackPinned takes nothing whose hash is another, or that holds no runtime", async () => {
  using folder = new Folder();
  Deno.mkdirSync(`${folder.path}/package`);
  Deno.writeTextFileSync(`${folder.path}/package/other`, "");
  await output(["tar", "-czf", "packed", "package/other"], folder.path);
  const packed = await Deno.readFile(`${folder.path}/packed`);
  const integrity = await integrityOf(packed);
  await assertRejects(() => unpackPinned("x@1", packed, integrity), Error, "no package/deno");
  packed[packed.length - 1] ^= 1;
  await assertRejects(() => unpackPinned("x@1", packed, integrity), Error, "another hash");
});

const DATED = { SOURCE_DATE_EPOCH: "1700000000" };

/** Looks whether a package is for an architecture and carries its runtime. */
async function assertCarriesRuntime(path: string, architecture: Architecture): Promise<void> {
  assertMatch(path, new RegExp(`/synsnoop_\\d+\\.\\d+\\.\\d+_${architecture}\\.deb$`));
  const [name, built, depends] = await fieldsOf(path, "Package", "Architecture", "Depends");
  assertEquals([name, built], ["synsnoop", architecture]);
  using folder = new Folder();
  await output(["dpkg-deb", "--extract", path, folder.path]);
  const program = `${folder.path}/usr/lib/synsnoop/deno`;
  const runtime = await Deno.readFile(program);
  assertEquals(
    new DataView(runtime.buffer).getUint16(ELF_MACHINE_AT, true),
    ELF_MACHINES[architecture],
  );
  // Compared as a whole: a difference of so many bytes is not to be shown.
  assert(Buffer.compare(runtime, await pinnedRuntime(architecture)) === 0);
  // As the linker will: every version that a symbol asks for.
  const wanted = await output(["llvm-readelf", "--version-info", program]);
  const minors = Array.from(wanted.matchAll(/GLIBC_2\.(\d+)/g), ([, minor]) => Number(minor));
  assertEquals(depends, `bpftrace, passwd, libc6 (>= 2.${Math.max(...minors)}), libgcc-s1`);
}

const NO_PACKAGE = NO_DPKG ?? (findExecutable("llvm-readelf") ? undefined : 'no "llvm-readelf"');

skippableTest("package makes a Debian package, the same bytes again", NO_PACKAGE, async (t) => {
  using folder = new Folder();
  const [first, second] = ["first", "second"].map((name) => `${folder.path}/${name}`);
  for (const path of [first, second]) Deno.mkdirSync(path);
  const debian = await buildPackage(first, [], DATED);
  const files = await output(["sh", "-c", 'dpkg-deb --fsys-tarfile "$1" | tar -t', "sh", debian]);

  await t.step(
    "it carries the runtime of this machine",
    () => assertCarriesRuntime(debian, Deno.build.arch === "aarch64" ? "arm64" : "amd64"),
  );

  await t.step("whatever the umask, the zone and the locale, it is the same", async () => {
    const mask = Deno.umask(0o077);
    let again: string;
    try {
      again = await buildPackage(second, [], { ...DATED, TZ: "Asia/Tokyo", LC_ALL: "C" });
    } finally {
      Deno.umask(mask);
    }
    assertEquals(await hashOf(again), await hashOf(debian));
  });

  await t.step("all in it belongs to root, is there for all, and dated as told", async () => {
    const listed = await output(["dpkg-deb", "--contents", debian]);
    for (const line of listed.trimEnd().split("\n")) {
      assertMatch(line, /^(?:drwxr-xr-x|-rw-r--r--|-rwxr-xr-x) root\/root +\d+ 2023-11-14 /);
    }
  });

  await t.step("--tar holds the same files", async () => {
    const tar = await buildPackage(first, ["--tar"], DATED);
    assertMatch(tar, /\/synsnoop-\d+\.\d+\.\d+-linux-(?:amd64|arm64)\.tar\.gz$/);
    const inTar = await output(["tar", "-tzf", tar]);
    assertEquals(inTar.split("\n").sort(), files.split("\n").sort());
    for (
      const path of [
        ...["usr/bin/synsnoop", "usr/lib/systemd/system/synsnoop.service", "etc/synsnoop.toml"],
        ...["usr/lib/systemd/system/synsnoop-ship.service", "etc/synsnoop-ship.toml"],
        ...["usr/lib/sysusers.d/synsnoop.conf", "usr/share/man/man1/synsnoop-ship.1.gz"],
        ...["etc/logrotate.d/synsnoop", "usr/share/doc/synsnoop/copyright"],
        ...["usr/share/man/man1/synsnoop-trace.1.gz", "usr/share/zsh/vendor-completions/_synsnoop"],
        ...["usr/share/bash-completion/completions/synsnoop"],
      ]
    ) {
      assert(files.split("\n").includes(`./${path}`), path);
    }
  });
});

skippableTest("package makes one for another architecture", NO_PACKAGE, async () => {
  using folder = new Folder();
  const other = Deno.build.arch === "aarch64" ? "amd64" : "arm64";
  const path = await buildPackage(folder.path, ["--architecture", other]);
  await assertCarriesRuntime(path, other);
});

Deno.test("package refuses in one sentence", async (t) => {
  const cases: { args: string[]; env?: Record<string, string>; status: number; said: string }[] = [
    { args: ["here"], status: 2, said: 'Cannot use "here": package takes flags only\n' },
    { args: ["--tra"], status: 2, said: 'Unknown flag "--tra": did you mean --tar?\n' },
    {
      args: ["--architecture", "i386"],
      status: 2,
      said: 'Cannot use --architecture "i386": give one of amd64, arm64\n',
    },
    {
      args: [],
      env: { PATH: "/nowhere", HOME: "/nowhere" },
      status: 1,
      // Some folders for root are looked into whatever PATH says.
      said:
        'Cannot make a package: found no "dpkg-deb"; install dpkg, or give --tar for a tarball\n',
    },
    {
      args: ["--tar"],
      env: { SOURCE_DATE_EPOCH: "today" },
      status: 1,
      said: 'Cannot make a package: SOURCE_DATE_EPOCH is "today", no time\n',
    },
  ];
  for (const { args, env, status, said } of cases) {
    await t.step(args.join(" ") || "without dpkg-deb", async () => {
      assertEquals(await runPackage(args, env), { said, status });
    });
  }
  await t.step("--help", async () => {
    const { said, status } = await runPackage(["--help"]);
    assertEquals(status, 0);
    assertStringIncludes(said, "--architecture");
  });
});

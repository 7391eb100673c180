// The package's service in a Debian 13 of its own, started by systemd: N of N handshakes under its own
// restrictions.
import { assertEquals } from "@std/assert";
import { buildPackage, NO_DPKG } from "../capture/built_package.ts";
import { parseJunitReport } from "../junit_report.ts";
import { skippableTest } from "../netns/namespace.ts";
import { output } from "./command.ts";
import { debianRoot, reasonAgainstRoots } from "./debian_root.ts";
import { guestFiles, GUESTS } from "./guest_files.ts";
import { reasonAgainstGuests, runInGuest, SHARED } from "./vm.ts";

const ROOT = new URL("../..", import.meta.url).pathname;
/** What the guest runs of the repository. */
const CHECKOUT = [
  ...["src", "deno.json", "deno.lock", "tests/line_reader.ts", "tests/netns", "tests/vm/guest"],
];
const TIMEOUT_MS = 1_200_000;
const { suite } = GUESTS.trixie;

const reason = NO_DPKG ?? await reasonAgainstRoots() ?? await reasonAgainstGuests();

skippableTest(`the service runs under systemd of Debian ${suite}`, reason, async (context) => {
  const kernel = await guestFiles(GUESTS.trixie);
  const shared = await Deno.makeTempDir({ prefix: "synsnoop-shared-" });
  try {
    await Deno.rename(await buildPackage(shared), `${shared}/synsnoop.deb`);
    await Deno.mkdir(`${shared}/checkout/tests/vm`, { recursive: true });
    for (const path of CHECKOUT) {
      await output(["cp", "-r", path, `${shared}/checkout/${path}`], ROOT);
    }
    await copyModules(
      `${kernel.modulesRoot}/lib/modules/${kernel.release}`,
      `${shared}/lib/modules`,
    );
    const deno = "/usr/lib/synsnoop/deno";
    const result = await runInGuest({ ...kernel, root: await debianRoot(suite) }, {
      // Where that fails, the end of the console says why.
      beforeSystemd: [`dpkg --install ${SHARED}/synsnoop.deb || echo o >/proc/sysrq-trigger`],
      words: [
        ...[deno, "test", "--no-prompt", "--no-check", "--allow-all"],
        ...[`--junit-path=${SHARED}/report.xml`, "tests/vm/guest/service.ts"],
      ],
      cwd: `${SHARED}/checkout`,
      env: {
        PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
        ...{ HOME: "/tmp", NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
      },
      shared,
      timeoutMs: TIMEOUT_MS,
    });
    const said = `${result.stdout}\n${result.stderr}`;
    assertEquals(result.status, 0, `the tests in the guest say:\n${said}`);
    console.log(result.stderr);
    for (
      const { name, result } of parseJunitReport(await Deno.readTextFile(`${shared}/report.xml`))
    ) {
      await context.step(name, () => assertEquals(result, "passed"));
    }
  } finally {
    await Deno.remove(shared, { recursive: true });
  }
});

/** The modules that the kernel asks for when sockets are looked at. */
async function copyModules(from: string, into: string): Promise<void> {
  const to = `${into}/${from.slice(from.lastIndexOf("/") + 1)}`;
  await Deno.mkdir(`${to}/kernel`, { recursive: true });
  await output(["sh", "-c", 'cp "$1"/modules.* "$2"', "sh", from, to]);
  await output(["cp", "-r", `${from}/kernel/net`, `${to}/kernel/net`]);
}

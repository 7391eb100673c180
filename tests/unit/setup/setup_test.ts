import { assertEquals } from "@std/assert";
import type { Machine } from "../../../src/setup/machine.ts";
import { needName } from "../../../src/setup/packages.ts";
import { setup } from "../../../src/setup/setup.ts";
import { fakeMachine } from "./fake_machine.ts";

Deno.test("setup is silent and runs nothing where all is there", async () => {
  for (const args of [[], ["--tests"]]) {
    const { machine, said, ran } = fakeMachine([]);
    assertEquals([await setup(args, machine), said, ran], [0, [], []]);
  }
});

Deno.test("setup looks for the tests' tools with --tests only", async () => {
  const without = fakeMachine(["tshark"]);
  assertEquals([await setup([], without.machine), without.ran], [0, []]);
  const { machine, ran } = fakeMachine(["tshark"]);
  assertEquals([await setup(["--tests"], machine), ran], [0, [
    "apt-get update",
    "apt-get install",
  ]]);
});

Deno.test("setup looks for the benchmark's tools with --bench, and goes on without", async () => {
  const { machine, said } = fakeMachine(["wrk"], { forbidden: true });
  assertEquals([await setup([], machine), said], [0, []]);
  assertEquals(await setup(["--bench"], machine), 0);
  assertEquals(said.length, 1);
  assertEquals(said[0].startsWith("Cannot install wrk: "), true);
});

Deno.test("setup installs the tests' browser too, and goes on without it", async () => {
  const { machine, said, ran } = fakeMachine(["chromium"], { run: () => Promise.resolve(false) });
  assertEquals([await setup(["--tests"], machine), ran], [0, []]);
  assertEquals(said.at(-1)?.startsWith("Cannot install chromium: apt-get failed; "), true);
  const without = fakeMachine(["chromium"]);
  assertEquals([await setup([], without.machine), without.said], [0, []]);
});

Deno.test("setup says in one line what it installs and how", async () => {
  const { machine, said, ran } = fakeMachine(["bpftrace"]);
  assertEquals(await setup([], machine), 0);
  assertEquals(ran, ["apt-get update", "apt-get install"]);
  assertEquals(said.length, 1);
  assertEquals(said[0].startsWith("Installing bpftrace (once): apt-get update "), true);
});

Deno.test("setup installs though the list of packages could not be refreshed", async () => {
  const absent = new Set(["bpftrace"]);
  const { machine, said } = fakeMachine([], {
    isPresent: (need) => !absent.has(needName(need)),
    run: (command) => {
      if (command.words[1] === "install") absent.clear();
      return Promise.resolve(command.words[1] === "install");
    },
  });
  assertEquals([await setup([], machine), said.length], [0, 1]);
});

const REFUSALS: { name: string; changes: Partial<Machine>; expected: string }[] = [
  {
    name: "it is forbidden",
    changes: { forbidden: true },
    expected: "Cannot install bpftrace: SYNSNOOP_SETUP=never forbids it; " +
      'run "apt-get install --no-install-recommends bpftrace"',
  },
  {
    name: "the user is not root",
    changes: { root: false },
    expected: "Cannot install bpftrace: not root; " +
      'run "sudo apt-get install --no-install-recommends bpftrace"',
  },
  {
    name: "no package manager is known",
    changes: { hasExecutable: () => false },
    expected: "Cannot install bpftrace: found none of apt-get, dnf, pacman, zypper, apk; " +
      "install it with this system's package manager",
  },
  {
    name: "the package manager fails",
    changes: { run: () => Promise.resolve(false) },
    expected: "Cannot install bpftrace: apt-get failed; " +
      'run "apt-get install --no-install-recommends bpftrace"',
  },
  {
    name: "the package lacks the program",
    changes: { run: () => Promise.resolve(true) },
    expected: "Cannot install bpftrace: apt-get did not bring it; " +
      'run "apt-get install --no-install-recommends bpftrace"',
  },
];

for (const { name, changes, expected } of REFUSALS) {
  Deno.test(`setup says what to run when ${name}, and fails the tests only`, async () => {
    for (const [args, status] of [[[], 0], [["--tests"], 1]] as const) {
      const { machine, said } = fakeMachine(["bpftrace"], changes);
      assertEquals([await setup(args, machine), said.at(-1)], [status, expected]);
    }
  });
}

Deno.test("setup refuses an unknown argument", async () => {
  const { machine, said } = fakeMachine([]);
  assertEquals(await setup(["--test"], machine), 2);
  assertEquals(said, [
    'Cannot set up: unknown argument "--test", only "--tests" and "--bench" are known',
  ]);
});

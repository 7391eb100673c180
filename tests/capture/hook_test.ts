// The pre-commit hook that "deno task hook" installs, in repositories of the tests' own.
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { findExecutable } from "../../src/linux/host.ts";
import { skippableTest } from "../netns/namespace.ts";

const NO_GIT = findExecutable("git") === undefined ? 'no "git" (package git)' : undefined;
const SCRIPT = new URL("../hook.ts", import.meta.url).pathname;
/** git without anybody's settings, nor the repository of a hook that these tests may run in. */
const ENV = {
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_SYSTEM: "/dev/null",
  PATH: Deno.env.get("PATH") ?? "",
  HOME: Deno.env.get("HOME") ?? "/",
};

class Repository implements AsyncDisposable {
  readonly hook: string;

  private constructor(readonly folder: string) {
    this.hook = `${folder}/.git/hooks/pre-commit`;
  }

  static async create(): Promise<Repository> {
    const repository = new Repository(await Deno.makeTempDir({ prefix: "synsnoop-hook-" }));
    await repository.run("git", "init", "--quiet", "--template=");
    return repository;
  }

  async run(program: string, ...args: string[]): Promise<{ code: number; said: string }> {
    const { code, stderr } = await new Deno.Command(program, {
      args,
      cwd: this.folder,
      env: ENV,
      clearEnv: true,
      stdin: "null",
    }).output();
    return { code, said: new TextDecoder().decode(stderr) };
  }

  install(...args: string[]): Promise<{ code: number; said: string }> {
    return this.run(Deno.execPath(), "run", "--quiet", "-A", SCRIPT, ...args);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }
}

skippableTest("the hook is installed once, and said", NO_GIT, async () => {
  await using repository = await Repository.create();
  assertEquals(await repository.install("--help"), {
    code: 1,
    said: 'Cannot use "--help": deno task hook takes nothing, and installs the hook\n',
  });
  const first = await repository.install();
  assertEquals(first.code, 0, first.said);
  assertMatch(first.said, /^Installed \.git\/hooks\/pre-commit: git runs format, lint and /);
  const text = await Deno.readTextFile(repository.hook);
  for (const step of ["deno fmt --check", "deno lint", "deno test", "tests/unit"]) {
    assertStringIncludes(text, step);
  }
  const again = await repository.install();
  assertEquals(again, { code: 0, said: "The hook is there already: .git/hooks/pre-commit\n" });
});

skippableTest("the hook refuses a commit whose format is wrong", NO_GIT, async () => {
  await using repository = await Repository.create();
  await repository.install();
  const { folder } = repository;
  await Deno.writeTextFile(`${folder}/deno.json`, "{}\n");
  await Deno.writeTextFile(`${folder}/a.ts`, "export const a=1\n");
  await Deno.mkdir(`${folder}/tests/unit`, { recursive: true });
  const test = (body: string) =>
    Deno.writeTextFile(`${folder}/tests/unit/a_test.ts`, `Deno.test("a", () => ${body});\n`);
  await test("{}");
  const commit = async () => {
    await repository.run("git", "add", "--all");
    const name = ["-c", "user.name=a", "-c", "user.email=a@example.org"];
    return await repository.run("git", ...name, "commit", "--quiet", "--message=a");
  };
  assertEquals((await commit()).code, 1);
  await Deno.writeTextFile(`${folder}/a.ts`, "export const a = 1;\n");
  await test("fail()");
  assertEquals((await commit()).code, 1);
  await test("{}");
  const last = await commit();
  assertEquals(last.code, 0, last.said);
});

for (
  const { name, make } of [
    { name: "another hook", make: (path: string) => Deno.writeTextFile(path, "#!/bin/sh\n") },
    { name: "a link to nowhere", make: (path: string) => Deno.symlink("nowhere", path) },
  ]
) {
  skippableTest(`the hook does not replace ${name}`, NO_GIT, async () => {
    await using repository = await Repository.create();
    await Deno.mkdir(`${repository.folder}/.git/hooks`, { recursive: true });
    await make(repository.hook);
    const before = await Deno.lstat(repository.hook);
    const { code, said } = await repository.install();
    assertEquals(code, 1);
    assertStringIncludes(said, "Cannot install the hook: .git/hooks/pre-commit is another hook");
    const after = await Deno.lstat(repository.hook);
    assertEquals([after.ino, after.size], [before.ino, before.size]);
  });
}

skippableTest("the hook goes into no folder that repositories share", NO_GIT, async () => {
  await using repository = await Repository.create();
  await repository.run("git", "config", "core.hooksPath", "/nowhere");
  const { code, said } = await repository.install();
  assertEquals(code, 1);
  assertStringIncludes(said, "core.hooksPath is /nowhere");
});

skippableTest("the hook needs a repository", NO_GIT, async () => {
  await using repository = await Repository.create();
  await Deno.remove(`${repository.folder}/.git`, { recursive: true });
  const { code, said } = await repository.install();
  assertEquals([code, said], [1, "Cannot install the hook: this is no git repository\n"]);
});

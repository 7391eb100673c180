import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { place, remove } from "../../src/install/installed_files.ts";
import { findRuntime } from "../../src/install/runtime.ts";
import { findExecutable } from "../../src/linux/host.ts";
import { Folder } from "../folder.ts";
import { skippableTest } from "../netns/namespace.ts";

const NO_TAR = findExecutable("tar") ? undefined : 'no "tar"';
const bytesOf = (text: string) => new TextEncoder().encode(text);

/** What npx leaves of a package whose executable has this text. @returns Paths of it and its package. */
async function fetchByNpx(root: string, text: string) {
  const modules = `${root}/_npx/0/node_modules`;
  for (const folder of ["package", "_npx/0/node_modules/deno"]) {
    Deno.mkdirSync(`${root}/${folder}`, { recursive: true });
  }
  for (const path of [`${root}/package/deno`, `${modules}/deno/deno`]) {
    Deno.writeTextFileSync(path, text);
  }
  const tar = { args: ["-czf", `${root}/packed`, "-C", root, "package/deno"] };
  assertEquals(new Deno.Command("tar", tar).outputSync().code, 0);
  const packed = Deno.readFileSync(`${root}/packed`);
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-512", packed));
  const lock = { version: "1.2.3", integrity: `sha512-${hash.toBase64()}` };
  const packages = { "node_modules/@deno/linux-x64-glibc": lock };
  Deno.writeTextFileSync(`${modules}/.package-lock.json`, JSON.stringify({ packages }));
  const hex = hash.toHex();
  const folder = `${root}/_cacache/content-v2/sha512/${hex.slice(0, 2)}/${hex.slice(2, 4)}`;
  Deno.mkdirSync(folder, { recursive: true });
  Deno.renameSync(`${root}/packed`, `${folder}/${hex.slice(4)}`);
  return { path: `${modules}/deno/deno`, packed: `${folder}/${hex.slice(4)}` };
}

skippableTest("findRuntime takes what npm fetched, where its hash fits", NO_TAR, async () => {
  using folder = new Folder();
  const { path, packed } = await fetchByNpx(folder.path, "runtime");
  const { bytes, origin } = await findRuntime(path);
  assertEquals(new TextDecoder().decode(bytes), "runtime");
  assertEquals(origin, "npm's package @deno/linux-x64-glibc@1.2.3, whose hash fits");

  Deno.writeTextFileSync(path, "another");
  await assertRejects(() => findRuntime(path), Error, "is another file than the one in npm's");
  Deno.writeTextFileSync(path, "runtime");
  Deno.writeTextFileSync(packed, "!", { append: true });
  await assertRejects(() => findRuntime(path), Error, "has another hash than npm was given");
  Deno.removeSync(packed);
  assertStringIncludes((await findRuntime(path)).origin, "not checked: cannot read npm's package");
});

Deno.test("findRuntime says that npm did not bring it", async () => {
  using folder = new Folder();
  const path = `${folder.path}/deno`;
  Deno.writeTextFileSync(path, "x");
  assertEquals((await findRuntime(path)).origin, `${path}, which npm did not bring`);
});

Deno.test("remove leaves what was changed and folders with something else, and names them", async () => {
  using folder = new Folder();
  const prefix = `${folder.path}/prefix`;
  const files = ["a/one", "b/two", "c/three"].map((path) => ({ path, bytes: bytesOf(path) }));
  await place(prefix, files);
  Deno.writeTextFileSync(`${prefix}/a/one`, "changed");
  Deno.writeTextFileSync(`${prefix}/b/other`, "");
  const { removed, left } = await remove(prefix);
  assertEquals([removed, left], [2, ["a/one", "b", "a", "."]]);
  assertEquals([...Deno.readDirSync(prefix)].map(({ name }) => name).sort(), ["a", "b"]);
});

Deno.test("place removes what is no longer part of it, and keeps a folder that it did not make", async () => {
  using folder = new Folder();
  const prefix = folder.path;
  Deno.mkdirSync(`${prefix}/a`);
  await place(prefix, [{ path: "a/old", bytes: bytesOf("old") }]);
  const outcome = await place(prefix, [{ path: "a/new", bytes: bytesOf("new") }]);
  assertEquals(outcome, { replaced: [], left: [] });
  assertEquals([...Deno.readDirSync(`${prefix}/a`)].map(({ name }) => name), ["new"]);
  assertEquals(await remove(prefix), { removed: 1, left: [] });
  assertEquals([...Deno.readDirSync(prefix)].map(({ name }) => name), ["a"]);
});

Deno.test("remove touches nothing outside the prefix, whatever the list says", async () => {
  using folder = new Folder();
  const prefix = `${folder.path}/prefix`;
  await place(prefix, [{ path: "one", bytes: bytesOf("one") }]);
  Deno.writeTextFileSync(`${prefix}/lib/synsnoop/installed`, `${"0".repeat(64)}  ../x\n`);
  await assertRejects(() => remove(prefix), Error, "names a file outside of");
});

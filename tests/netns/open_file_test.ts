// What root opens to write to, where others can put things.
import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { closeDescriptor } from "../../src/files/descriptor.ts";
import { type OpenedFile, openForWriting } from "../../src/files/open_file.ts";
import { fileAt, isOneFile } from "../../src/files/same_file.ts";
import { Folder } from "../folder.ts";

/** Opens and closes again. */
function open(path: string): OpenedFile {
  const opened = openForWriting(path);
  if (opened.fd !== undefined) closeDescriptor(opened.fd);
  return opened;
}

const NOBODY = 65_534;

/** A folder of ours, and one in it with some permissions. */
function makeFolders(mode: number, owner = 0) {
  const folder = new Folder();
  const inner = `${folder.path}/inner`;
  Deno.mkdirSync(inner);
  Deno.chmodSync(inner, mode);
  Deno.chownSync(inner, owner, owner);
  return { own: folder.path, inner, [Symbol.dispose]: () => folder[Symbol.dispose]() };
}

/** Folders in which somebody else may make a link. */
const OPEN_FOLDERS = [
  { name: "a sticky folder", mode: 0o1777, owner: 0 },
  { name: "a folder that a group may write", mode: 0o775, owner: 0 },
  { name: "a folder of another user", mode: 0o755, owner: NOBODY },
];

for (const { name, mode, owner } of OPEN_FOLDERS) {
  Deno.test(`openForWriting follows no symbolic link in ${name}`, () => {
    using folders = makeFolders(mode, owner);
    const { own, inner } = folders;
    Deno.writeTextFileSync(`${own}/target`, "precious\n");
    Deno.mkdirSync(`${own}/folder`);
    for (
      const [link, leadsTo, path] of [
        ["link", `${own}/target`, `${inner}/link`],
        ["relative", "../target", `${inner}/relative`],
        ["nowhere", `${own}/new`, `${inner}/nowhere`],
        ["folder", `${own}/folder`, `${inner}/folder/out`],
      ]
    ) {
      Deno.symlinkSync(leadsTo, `${inner}/${link}`);
      const { message } = assertThrows(() => open(path), Error);
      assertEquals(
        message,
        `"${inner}/${link}" is a symbolic link in a folder that others may write, and could lead anywhere`,
      );
    }
    // Through a link of ours into that folder, too.
    Deno.symlinkSync(`${inner}/link`, `${own}/to-link`);
    assertThrows(() => open(`${own}/to-link`), Error, "is a symbolic link");
    assertEquals(Deno.readTextFileSync(`${own}/target`), "precious\n");
    assertEquals(fileAt(`${own}/new`), undefined);
  });

  Deno.test(`openForWriting takes no file with a second name in ${name}`, () => {
    using folders = makeFolders(mode, owner);
    Deno.writeTextFileSync(`${folders.own}/target`, "precious\n");
    Deno.linkSync(`${folders.own}/target`, `${folders.inner}/link`);
    assertThrows(() => open(`${folders.inner}/link`), Error, "it has a second name (a hard link)");
  });

  Deno.test(`openForWriting makes a file of its own in ${name}, and takes it again`, () => {
    using folders = makeFolders(mode, owner);
    const path = `${folders.inner}/out`;
    assertEquals(open(path).target, path);
    assertEquals(open(path).kind, "file");
    const { uid, mode: made } = Deno.statSync(path);
    assertEquals([uid, made! & 0o777], [0, 0o640 & ~Deno.umask()]);
  });
}

Deno.test("openForWriting takes nothing of others in a sticky folder, a FIFO neither", () => {
  using folders = makeFolders(0o1777);
  const [file, fifo] = [`${folders.inner}/file`, `${folders.inner}/fifo`];
  Deno.writeTextFileSync(file, "");
  new Deno.Command("mkfifo", { args: [fifo] }).outputSync();
  for (const path of [file, fifo]) {
    Deno.chownSync(path, NOBODY, NOBODY);
    const { message } = assertThrows(() => open(path), Error);
    assertMatch(
      message,
      /^it belongs to another user \(65534\), in a folder that others may write$/,
    );
  }
});

Deno.test("openForWriting follows links where only root can have made them", () => {
  using folder = new Folder();
  const { path } = folder;
  Deno.mkdirSync(`${path}/logs`);
  Deno.symlinkSync("logs", `${path}/current`);
  Deno.symlinkSync("./current/../logs/out", `${path}/link`);
  assertEquals(open(`${path}//link`).target, `${path}/logs/out`);
  assertEquals(open(`${path}/current/other`).target, `${path}/logs/other`);
  Deno.symlinkSync("loop", `${path}/loop`);
  assertThrows(() => open(`${path}/loop`), Error, "too many symbolic links follow each other");
});

Deno.test("openForWriting takes a file of a user in that user's own folder", () => {
  using folders = makeFolders(0o755, NOBODY);
  const path = `${folders.inner}/out`;
  Deno.writeTextFileSync(path, "");
  Deno.chownSync(path, NOBODY, NOBODY);
  assertEquals(open(path).kind, "file");
});

Deno.test("openForWriting knows what it has opened, and never waits", () => {
  using folder = new Folder();
  const fifo = `${folder.path}/fifo`;
  new Deno.Command("mkfifo", { args: [fifo] }).outputSync();
  assertEquals([open(fifo).kind, open(fifo).fd], ["fifo", undefined]);
  assertEquals(open("/dev/null").kind, "device");
  assertThrows(() => open(`${fifo}/`), Error, "Is a directory");
  assertThrows(() => open(""), Error, "No such file or directory");
  const disk = `${folder.path}/disk`;
  new Deno.Command("mknod", { args: [disk, "b", "7", "200"] }).outputSync();
  assertThrows(() => open(disk), Error, "it is a disk, whose content would be overwritten");
});

Deno.test("isOneFile tells files apart by their numbers", () => {
  using folder = new Folder();
  const [one, other] = [`${folder.path}/one`, `${folder.path}/other`];
  Deno.writeTextFileSync(one, "");
  Deno.linkSync(one, other);
  assertEquals(isOneFile(fileAt(one)!, fileAt(other)!), true);
  Deno.removeSync(other);
  Deno.writeTextFileSync(other, "");
  assertEquals(isOneFile(fileAt(one)!, fileAt(other)!), false);
});

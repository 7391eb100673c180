// Lines in a regular file: rotation, full disks, and what others do to the file meanwhile.
// Covers src/files/appended_file.ts
// Covers src/files/rotate_files.ts
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { openForWriting } from "../../src/files/open_file.ts";
import { FileOutput, type Rotation } from "../../src/files/file_output.ts";
import { makeDisk, NO_MOUNTS } from "./disk.ts";
import { Folder } from "../folder.ts";
import { skippableTest } from "./namespace.ts";

/** An output with what it said, closed when disposed. */
function open(path: string, rotation?: Rotation) {
  const said: string[] = [];
  const output = new FileOutput(openForWriting(path), rotation, (sentence) => said.push(sentence));
  return {
    output,
    said,
    /** Waits until it has said so many sentences. Its own timers keep no process alive. */
    async says(count: number, meanwhile = () => {}): Promise<void> {
      while (said.length < count) {
        meanwhile();
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    },
    [Symbol.dispose]: () => output[Symbol.dispose](),
  };
}

function read(path: string): string {
  return Deno.readTextFileSync(path);
}

function names(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).toSorted();
}

Deno.test("FileOutput makes the file and appends to one that is there", async () => {
  using folder = new Folder();
  const path = `${folder.path}/out`;
  for (const lines of ["a\nb\n", "é\n"]) {
    using file = open(path);
    file.output.write("", 0);
    file.output.write(lines, 1);
    // What it took is in the file when it returns.
    assert(read(path).endsWith(lines));
    await file.output.flush();
    assertEquals([file.output.lost, file.said], [0, []]);
  }
  assertEquals(read(path), "a\nb\né\n");
});

Deno.test("FileOutput begins a new file before the old one grows too large", () => {
  using folder = new Folder();
  const path = `${folder.path}/out`;
  using file = open(path, { maxBytes: 6, keep: 2 });
  file.output.write("a1\nb2\n", 2);
  assertEquals(names(folder.path), ["out"]);
  file.output.write("c3\n", 1);
  assertEquals([read(path), read(`${path}.1`)], ["c3\n", "a1\nb2\n"]);
  // One text is spread over files, the oldest beyond two of them are gone.
  file.output.write("d4\ne5\nf6\ng7\nh8\n", 5);
  assertEquals(names(folder.path), ["out", "out.1", "out.2"]);
  assertEquals(
    [read(path), read(`${path}.1`), read(`${path}.2`)],
    ["g7\nh8\n", "e5\nf6\n", "c3\nd4\n"],
  );
  // What is thrown away is counted, and said when that begins.
  assertEquals([file.output.lost, file.output.rotatedAway], [0, 2]);
  assertEquals(file.said, [
    `Rotation removes the oldest records of "${path}" from now on: --rotate-keep is 2`,
  ]);
});

Deno.test("FileOutput counts what was in the file before", () => {
  using folder = new Folder();
  const path = `${folder.path}/out`;
  Deno.writeTextFileSync(path, "12345\n");
  using file = open(path, { maxBytes: 8, keep: 1 });
  file.output.write("a\n", 1);
  file.output.write("b\n", 1);
  assertEquals([read(path), read(`${path}.1`)], ["b\n", "12345\na\n"]);
});

Deno.test("FileOutput keeps no old file where none is asked for", () => {
  using folder = new Folder();
  const path = `${folder.path}/out`;
  using file = open(path, { maxBytes: 4, keep: 0 });
  for (const lines of ["a\nb\n", "c\n", "d\n", "e\n"]) file.output.write(lines, 1);
  assertEquals(names(folder.path), ["out"]);
  assertEquals([read(path), file.output.lost, file.output.rotatedAway], ["e\n", 0, 3]);
});

Deno.test("FileOutput writes a line longer than a file into one of its own", () => {
  using folder = new Folder();
  const path = `${folder.path}/out`;
  using file = open(path, { maxBytes: 5, keep: 9 });
  const long = "long line\n";
  file.output.write(`a\n${long}b\nc\n`, 4);
  file.output.write(long, 1);
  file.output.write(long + long, 2);
  const files = [path, ...[1, 2, 3, 4, 5].map((number) => `${path}.${number}`)].map(read);
  assertEquals(files, [long, long, long, "b\nc\n", long, "a\n"]);
  assertEquals(names(folder.path).length, files.length);
});

Deno.test("FileOutput keeps every line whole and in order whatever the sizes", () => {
  const line = fc.string({ maxLength: 20 }).map((text) => text.replaceAll("\n", "") + "\n");
  const texts = fc.array(fc.array(line, { minLength: 1, maxLength: 5 }), { maxLength: 8 });
  const rotations = fc.record({
    maxBytes: fc.integer({ min: 1, max: 60 }),
    keep: fc.integer({ min: 1, max: 50 }),
  });
  fc.assert(fc.property(texts, rotations, (groups, rotation) => {
    using folder = new Folder();
    const path = `${folder.path}/out`;
    using file = open(path, rotation);
    for (const lines of groups) file.output.write(lines.join(""), lines.length);
    const old = names(folder.path).filter((name) => name !== "out");
    assert(old.length <= rotation.keep);
    const numbers = old.map((name) => Number(name.slice("out.".length))).toSorted((a, b) => b - a);
    const files = [...numbers.map((number) => `${path}.${number}`), path].map(read);
    const expected = groups.flat().join("");
    const kept = files.join("");
    // The oldest lines may be gone with their files, nothing else.
    assertEquals(expected.endsWith(kept), true);
    if (old.length < rotation.keep) assertEquals(kept, expected);
    for (const text of files) {
      const alone = text.indexOf("\n") === text.length - 1;
      assert(alone || new TextEncoder().encode(text).length <= rotation.maxBytes);
      assert(text === "" || text.endsWith("\n"));
    }
    // Each line is in a file, or was in one that rotation removed.
    const total = groups.flat().length;
    assertEquals(file.output.lost, 0);
    assertEquals(kept.split("\n").length - 1 + file.output.rotatedAway!, total);
  }));
});

Deno.test("FileOutput goes on in the old file where no new one can be begun", () => {
  using folder = new Folder();
  const path = `${folder.path}/out`;
  Deno.mkdirSync(`${path}.1/full`, { recursive: true });
  using file = open(path, { maxBytes: 4, keep: 1 });
  for (const lines of ["a\n", "b\n", "c\nd\n", "e\nf\ng\n"]) {
    file.output.write(lines, lines.length / 2);
  }
  assertEquals(read(path), "a\nb\nc\nd\ne\nf\ng\n");
  assertEquals(file.output.lost, 0);
  // Said once, not at every line.
  assertEquals(file.said.length, 1);
  assertMatch(
    file.said[0],
    /^Cannot begin a new file for ".*\/out": .*; the old one grows on$/,
  );
});

Deno.test("FileOutput rotates the file that a link leads to, not the link", () => {
  using folder = new Folder();
  const [target, link] = [`${folder.path}/target`, `${folder.path}/link`];
  Deno.writeTextFileSync(target, "");
  Deno.symlinkSync(target, link);
  using file = open(link, { maxBytes: 2, keep: 1 });
  file.output.write("a\nb\n", 2);
  assertEquals(names(folder.path), ["link", "target", "target.1"]);
  assertEquals([read(link), read(`${target}.1`)], ["b\n", "a\n"]);
  assertEquals(Deno.lstatSync(link).isSymlink, true);
});

function record(number: number): string {
  return `${JSON.stringify({ number, padding: "x".repeat(number % 97) })}\n`;
}

skippableTest(
  "FileOutput keeps lines whole on a full disk, and goes on when it has room",
  NO_MOUNTS,
  () => {
    using disk = makeDisk("size=64k");
    const path = `${disk.path}/out`;
    // Takes all the room but what some records need.
    Deno.writeTextFileSync(`${disk.path}/ballast`, "x".repeat(40_000));
    using file = open(path);
    let number = 0;
    const writeSome = (count: number) => {
      for (let taken = 0; taken < count; taken += 7, number += 7) {
        file.output.write(
          Array.from({ length: 7 }, (_, index) => record(number + index)).join(""),
          7,
        );
      }
    };
    writeSome(2_002);
    const full = read(path);
    const whole = full.split("\n").length - 1;
    assert(whole > 50 && whole < 2_002, `${whole} records`);
    assertEquals(full.endsWith("\n"), true);
    assertEquals(file.output.lost, 2_002 - whole);
    assertEquals(file.said.length, 1);
    assertStringIncludes(file.said[0], "No space left on device");
    // Every record that was written is a whole one; those lost may leave gaps.
    const numbers = full.trimEnd().split("\n").map((line) => JSON.parse(line).number);
    assertEquals(numbers, numbers.toSorted((a, b) => a - b));
    assertEquals(new Set(numbers).size, whole);

    Deno.removeSync(`${disk.path}/ballast`);
    writeSome(70);
    const lost = 2_002 - whole;
    assertEquals(file.output.lost, lost);
    assertEquals(file.said.slice(1), [`Writing "${path}" again; ${lost} records were lost`]);
    const after = Array.from({ length: 70 }, (_, index) => record(2_002 + index)).join("");
    assertEquals(read(path), full + after);
  },
);

skippableTest(
  "FileOutput cuts a torn line off a file that others have shortened",
  NO_MOUNTS,
  () => {
    using disk = makeDisk("size=64k");
    const path = `${disk.path}/out`;
    using file = open(path);
    const line = `${"x".repeat(99)}\n`;
    file.output.write(line.repeat(10), 10);
    // As logrotate's copytruncate does.
    Deno.truncateSync(path);
    file.output.write(line.repeat(10_000), 10_000);
    const text = read(path);
    assertEquals(text, line.repeat(text.length / 100));
    assert(text.length >= 60_000 && text.length <= 65_536, `${text.length} bytes`);
    assertEquals(file.output.lost, 10_000 - text.length / 100);
  },
);

skippableTest("FileOutput counts losses exactly while it rotates on a full disk", NO_MOUNTS, () => {
  using disk = makeDisk("size=64k");
  const path = `${disk.path}/out`;
  using file = open(path, { maxBytes: 30_000, keep: 5 });
  let count = 0;
  for (; count < 3_000; count += 10) {
    file.output.write(
      Array.from({ length: 10 }, (_, index) => record(count + index)).join(""),
      10,
    );
  }
  file.output.write("the summary, which is no record\n", 0);
  const lines = names(disk.path).flatMap((name) => read(`${disk.path}/${name}`).split("\n"))
    .filter((line) => line !== "");
  const records = lines.filter((line) => !line.startsWith("the summary"));
  for (const line of records) JSON.parse(line);
  assert(file.output.lost > 0);
  assertEquals(records.length + file.output.lost, 3_000);
});

skippableTest("FileOutput empties its one file where no other could be made", NO_MOUNTS, () => {
  // The root folder and one file are all that this disk can have.
  using disk = makeDisk("size=64k,nr_inodes=2");
  const path = `${disk.path}/out`;
  using file = open(path, { maxBytes: 4, keep: 0 });
  for (const lines of ["a\nb\n", "c\n", "d\n", "e\n"]) file.output.write(lines, 1);
  assertEquals([read(path), file.output.lost, file.output.rotatedAway], ["e\n", 0, 3]);
});

skippableTest("FileOutput counts records, not the heading before them", NO_MOUNTS, () => {
  using disk = makeDisk("size=64k");
  const path = `${disk.path}/out`;
  using file = open(path, { maxBytes: 8, keep: 1 });
  Deno.writeTextFileSync(`${disk.path}/ballast`, "x".repeat(65_536));
  // Two parts, each as long as a file may be.
  file.output.write("heading\nrecord1\n", 1);
  assertEquals([read(path), file.output.lost], ["", 1]);
});

Deno.test("FileOutput goes on under its path when the file was renamed, as logrotate does", async () => {
  using folder = new Folder();
  const path = `${folder.path}/out`;
  using file = open(path);
  Deno.chmodSync(path, 0o604);
  file.output.write("a\n", 1);
  Deno.renameSync(path, `${path}.old`);
  file.output.write("b\n", 1);
  await file.says(1);
  file.output.write("c\n", 1);
  assertEquals([read(`${path}.old`), read(path)], ["a\nb\n", "c\n"]);
  assertEquals(file.said, [`"${path}" was renamed or replaced: it is begun anew`]);
  assertEquals(file.output.lost, 0);
  // A new file may be read by those who could read the old one.
  assertEquals(Deno.statSync(path).mode! & 0o777, 0o604);
});

Deno.test("FileOutput goes on in the file that has come to its path, as logrotate makes one", async () => {
  using folder = new Folder();
  const path = `${folder.path}/out`;
  using file = open(path);
  file.output.write("a\n", 1);
  Deno.renameSync(path, `${path}.old`);
  Deno.writeTextFileSync(path, "made by others\n");
  await file.says(1);
  file.output.write("b\n", 1);
  assertEquals([read(`${path}.old`), read(path)], ["a\n", "made by others\nb\n"]);
});

Deno.test("FileOutput goes on at the new end of a file that was emptied (copytruncate)", () => {
  using folder = new Folder();
  const path = `${folder.path}/out`;
  using file = open(path, { maxBytes: 10, keep: 1 });
  file.output.write("a1\nb2\nc3\n", 3);
  Deno.truncateSync(path);
  file.output.reopen();
  file.output.write("d4\ne5\n", 2);
  // It is as large as it is, not as all that was ever written to it.
  assertEquals([names(folder.path), read(path)], [["out"], "d4\ne5\n"]);
  assertEquals([file.output.lost, file.said], [0, []]);
});

Deno.test("FileOutput loses nothing of a file that was removed since it was last seen", async () => {
  using folder = new Folder();
  const path = `${folder.path}/out`;
  using file = open(path);
  file.output.write("before\n", 1);
  file.output.reopen();
  Deno.removeSync(path);
  file.output.write("a\nb\n", 2);
  await file.says(1);
  file.output.write("c\n", 1);
  assertEquals([read(path), file.output.lost], ["a\nb\nc\n", 0]);
  assertEquals(file.said, [`"${path}" was removed: it is begun anew`]);
});

Deno.test("FileOutput counts what went with a file that was copied, removed and replaced", async () => {
  using folder = new Folder();
  const path = `${folder.path}/out`;
  using file = open(path);
  file.output.write("a\n", 1);
  file.output.reopen();
  file.output.write("b\nc\n", 2);
  // As logrotate with compress: b and c may be in the copy, so they are not written again.
  Deno.removeSync(path);
  Deno.writeTextFileSync(path, "");
  await file.says(1);
  file.output.write("d\n", 1);
  assertEquals([read(path), file.output.lost], ["d\n", 2]);
  assertEquals(file.said, [
    `"${path}" was removed: it is begun anew; up to 2 records are gone with it`,
  ]);
});

Deno.test("FileOutput counts what is written while its folder is gone, and goes on when it is back", async () => {
  using folder = new Folder();
  const path = `${folder.path}/logs/out`;
  Deno.mkdirSync(`${folder.path}/logs`);
  using file = open(path);
  file.output.write("a\n", 1);
  file.output.reopen();
  Deno.removeSync(`${folder.path}/logs`, { recursive: true });
  file.output.write("b\n", 1);
  await file.says(1);
  file.output.write("c\n", 1);
  assertEquals(file.said, [
    `Cannot begin "${path}" anew: No such file or directory (os error 2); ` +
    "records are lost until it works",
  ]);
  // What was written last and then lost its file is gone, as what comes now.
  assertEquals(file.output.lost, 2);
  Deno.mkdirSync(`${folder.path}/logs`);
  await file.says(2);
  file.output.write("d\n", 1);
  assertEquals([read(path), file.output.lost], ["d\n", 2]);
});

Deno.test("FileOutput opens its file again when asked, at once", () => {
  using folder = new Folder();
  const path = `${folder.path}/out`;
  using file = open(path);
  file.output.write("a\n", 1);
  file.output.reopen();
  assertEquals(file.said, []);
  Deno.renameSync(path, `${path}.1`);
  file.output.reopen();
  file.output.write("b\n", 1);
  assertEquals([read(`${path}.1`), read(path)], ["a\n", "b\n"]);
});

Deno.test("FileOutput begins on a line of its own where the file ends inside one", () => {
  using folder = new Folder();
  const path = `${folder.path}/out`;
  Deno.writeTextFileSync(path, '{"v":1,"ev');
  using file = open(path);
  file.output.write("a\n", 1);
  file.output.write("b\n", 1);
  assertEquals(read(path), '{"v":1,"ev\na\nb\n');
});

Deno.test("FileOutput rotates again when what was in the way is gone", async () => {
  using folder = new Folder();
  const path = `${folder.path}/out`;
  Deno.mkdirSync(`${path}.1/full`, { recursive: true });
  using file = open(path, { maxBytes: 4, keep: 1 });
  let count = 0;
  const writeOne = () => file.output.write(`${count++ % 10}\n`, 1);
  for (let times = 0; times < 5; times++) writeOne();
  assertEquals([read(path), file.said.length], ["0\n1\n2\n3\n4\n", 1]);
  Deno.removeSync(`${path}.1`, { recursive: true });
  await file.says(2, writeOne);
  assertEquals(file.said[1], `Beginning new files for "${path}" again`);
  assertEquals([file.output.lost, names(folder.path)], [0, ["out", "out.1"]]);
  assertEquals(read(`${path}.1`).length + read(path).length, 2 * count);
});

Deno.test("FileOutput does not rotate away what has come to its path", () => {
  using folder = new Folder();
  const path = `${folder.path}/out`;
  using file = open(path, { maxBytes: 4, keep: 2 });
  file.output.write("a\nb\n", 2);
  Deno.renameSync(path, `${path}.saved`);
  Deno.writeTextFileSync(path, "o\n");
  file.output.write("c\n", 1);
  assertEquals(names(folder.path), ["out", "out.saved"]);
  assertEquals([read(path), read(`${path}.saved`)], ["o\nc\n", "a\nb\n"]);
});

// A store that is followed while its segments are written, sealed, removed and replaced.
// Covers src/store/follow/segment_bytes.ts
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { SegmentBytes } from "../../src/store/follow/segment_bytes.ts";
import { type Progress, StoreFollower } from "../../src/store/follow/store_follower.ts";
import { seal } from "../../src/store/seal.ts";
import { formatSegmentName } from "../../src/store/segment_name.ts";
import { Folder } from "../folder.ts";

/** Follows a store and keeps all bytes of each segment. */
class Following implements Disposable {
  readonly bytes = new Map<string, number[]>();
  readonly done = new Set<string>();
  readonly replaced: string[] = [];
  readonly unreadable: string[] = [];
  readonly removed: [name: string, unread: number][] = [];
  /** What happens between a look and the opening of a file. */
  beforeOpen: () => Promise<void> = () => Promise.resolve();
  readonly follower: StoreFollower<SegmentBytes>;

  constructor(folder: string, pieceBytes = 7) {
    this.follower = new StoreFollower({
      folder,
      progressOf: (name) => this.#progressOf(name),
      isOver: () => false,
      open: async (segment, name) => {
        await this.beforeOpen();
        return await SegmentBytes.open(segment, this.#progressOf(name).bytes);
      },
      read: async (file, { isSealed }, name) => {
        const piece = new Uint8Array(pieceBytes);
        const bytes = this.bytes.get(name) ?? [];
        this.bytes.set(name, bytes);
        for (;;) {
          const count = await file.read(piece, bytes.length % 2 === 0);
          if (count === 0) break;
          bytes.push(...piece.subarray(0, count));
        }
        if (isSealed) this.done.add(name);
      },
      onReplaced: (name) => {
        this.replaced.push(name);
        this.bytes.delete(name);
      },
      onUnreadable: ({ path }, reason) => void this.unreadable.push(`${path}: ${reason}`),
      onRemoved: (name, unread) => void this.removed.push([name, unread]),
    });
  }

  #progressOf(name: string): Progress {
    return { bytes: this.bytes.get(name)?.length ?? 0, isDone: this.done.has(name) };
  }

  /** Looks and reads once. @returns Whether that was all. */
  async once(): Promise<boolean> {
    return await this.follower.pass(this.follower.look());
  }

  async all(): Promise<void> {
    while (!await this.once());
  }

  [Symbol.dispose](): void {
    this.follower[Symbol.dispose]();
  }
}

function nameAt(hour: number, tracer = 1): string {
  return formatSegmentName({
    hour: `2026-11-23T${`${hour}`.padStart(2, "0")}`,
    host: "a",
    tracer: `${tracer}-1`,
  });
}

function append(path: string, bytes: Uint8Array): void {
  Deno.writeFileSync(path, bytes, { append: true });
}

/** What happens to a store, in any order. */
type Step = "write" | "seal" | "hour" | "look" | "seal before opening";

Deno.test("a followed store gives each byte of each segment once, whatever is sealed when", async () => {
  const step = fc.record({
    kind: fc.constantFrom<Step>("write", "write", "seal", "hour", "look", "seal before opening"),
    tracer: fc.integer({ min: 1, max: 20 }),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 40 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60, size: "max" }), async (steps) => {
      using folder = new Folder();
      using following = new Following(folder.path);
      const written = new Map<string, number[]>();
      const sealed = new Set<string>();
      let hour = 0;
      const sealOver = async () => {
        for (const name of written.keys()) {
          if (sealed.has(name) || name.startsWith(nameAt(hour).slice(0, 13))) continue;
          sealed.add(name);
          await seal(`${folder.path}/${name}`, "1-1");
        }
      };
      for (const { kind, tracer, bytes } of steps) {
        if (kind === "hour") hour++;
        if (kind === "seal") await sealOver();
        if (kind === "look") await following.once();
        if (kind === "seal before opening") {
          following.beforeOpen = sealOver;
          await following.once();
          following.beforeOpen = () => Promise.resolve();
        }
        if (kind !== "write") continue;
        const name = nameAt(hour, tracer);
        append(`${folder.path}/${name}`, bytes);
        written.set(name, [...written.get(name) ?? [], ...bytes]);
      }
      await following.all();
      const sorted = (map: Map<string, number[]>) => [...map].sort();
      assertEquals(sorted(following.bytes), sorted(written));
      assertEquals([...following.done].sort(), [...sealed].sort());
      assertEquals([following.replaced, following.unreadable, following.removed], [[], [], []]);
    }),
    { numRuns: 60, seed: 7 },
  );
});

Deno.test("a segment that is removed while its file is open is read to its end", async () => {
  using folder = new Folder();
  using following = new Following(folder.path);
  const path = `${folder.path}/${nameAt(1)}`;
  append(path, Uint8Array.of(1, 2));
  await following.all();
  append(path, Uint8Array.of(3));
  Deno.removeSync(path);
  await following.all();
  assertEquals(following.bytes.get(nameAt(1)), [1, 2, 3]);
  assert(following.done.has(nameAt(1)));
  assertEquals(following.removed, []);
});

Deno.test("what is removed before it was read is told with its bytes", async () => {
  using folder = new Folder();
  using following = new Following(folder.path);
  for (const hour of [1, 2]) append(`${folder.path}/${nameAt(hour)}`, new Uint8Array(hour));
  following.follower.look();
  Deno.removeSync(`${folder.path}/${nameAt(2)}`);
  await following.all();
  assertEquals(following.removed, [[nameAt(2), 2]]);
  assertEquals([...following.bytes.keys()], [nameAt(1)]);
});

Deno.test("a segment that is replaced or cut short is read from its start, and said to be", async () => {
  using folder = new Folder();
  using following = new Following(folder.path);
  const path = `${folder.path}/${nameAt(1)}`;
  append(path, Uint8Array.of(1, 2, 3));
  await following.all();
  Deno.truncateSync(path, 1);
  await following.all();
  assertEquals(following.bytes.get(nameAt(1)), [1]);
  Deno.writeFileSync(`${path}.new`, Uint8Array.of(7, 8, 9, 10));
  Deno.renameSync(`${path}.new`, path);
  await following.all();
  assertEquals(following.bytes.get(nameAt(1)), [7, 8, 9, 10]);
  assertEquals(following.replaced, [nameAt(1), nameAt(1)]);
});

Deno.test("a segment that cannot be read is told once, and the others are read", async () => {
  using folder = new Folder();
  using following = new Following(folder.path);
  // The magic number of zstd, and nothing that could follow it.
  append(`${folder.path}/${nameAt(1)}.zst`, Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0xff, 0xff));
  Deno.mkdirSync(`${folder.path}/${nameAt(2)}`);
  append(`${folder.path}/${nameAt(3)}`, Uint8Array.of(3));
  await following.all();
  await following.all();
  assertEquals(following.bytes.get(nameAt(3)), [3]);
  assertEquals(following.unreadable.length, 2, following.unreadable.join("\n"));
  assert(following.follower.hasUnreadable);
});

Deno.test("of many segments that grow few are open, those that were opened last", async () => {
  using folder = new Folder();
  using following = new Following(folder.path);
  const opened = () => [...Deno.readDirSync("/proc/self/fd")].length;
  const before = opened();
  const names = Array.from({ length: 200 }, (_, at) => nameAt(1, 1 + at));
  for (let round = 0; round < 3; round++) {
    for (const name of names) append(`${folder.path}/${name}`, Uint8Array.of(round));
    await following.all();
  }
  assert(opened() - before <= 17, `${opened() - before}`);
  for (const name of names) assertEquals(following.bytes.get(name), [0, 1, 2]);
});

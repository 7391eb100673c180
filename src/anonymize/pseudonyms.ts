import { createHmac } from "node:crypto";

/** Names remembered; beyond that the oldest are forgotten and made anew. */
const CACHED_NAMES = 8_192;
/** What the key of names is made with, so that it is another than that of addresses. */
const PURPOSE = "synsnoop: names";
/** Hexadecimal digits of a name: so many tell a million names apart but for one time in two. */
const DIGITS = 10;

/** Users below it are those of the system's services, the same on many hosts (UID_MIN, login.defs(5)). */
const UID_MIN = 1_000;
/** `nobody`. */
const UID_NOBODY = 65_534;
/** From here to the last user id stand those of people. */
const UID_HIDDEN_MIN = 65_536;
const UID_HIDDEN_COUNT = 4_294_967_294 - UID_HIDDEN_MIN;

/** What a name is of: the same text is another name for each. */
export type NameKind =
  | "host"
  | "host_id"
  | "tracer"
  | "comm"
  | "interface"
  | "netns"
  | "cgroup"
  | "container"
  | "container_id"
  | "symbol"
  | "uid";

/**
 * Gives names other names, the same ones each time: HMAC-SHA-256 with a key (RFC 2104). Who has not the
 * key cannot try which name it was.
 */
export class Pseudonyms {
  readonly #key: Uint8Array;
  readonly #known = new Map<string, string>();

  /** @param key The key of the addresses, of which another is made. */
  constructor(key: Uint8Array) {
    this.#key = createHmac("sha256", key).update(PURPOSE).digest();
  }

  /** So many hexadecimal digits instead of a text, 64 at most. */
  digits(kind: NameKind, text: string, count: number = DIGITS): string {
    const name = `${kind}\0${text}`;
    let digits = this.#known.get(name);
    if (digits === undefined) {
      digits = createHmac("sha256", this.#key).update(name).digest("hex");
      if (this.#known.size >= CACHED_NAMES) this.#known.delete(this.#known.keys().next().value!);
      this.#known.set(name, digits);
    }
    return digits.slice(0, count);
  }

  /** A word that says what it stands for: `host-5f3a0c91d2`. */
  word(prefix: string, kind: NameKind, text: string): string {
    return `${prefix}-${this.digits(kind, text)}`;
  }

  /** The path with other names in it: what was below another path still is. */
  path(kind: NameKind, path: string): string {
    return path.split("/").map((part) => part === "" ? "" : this.digits(kind, part)).join("/");
  }

  /** Another user instead of a person; those of services, and nobody, stay. */
  uid(uid: number): number {
    if (uid < UID_MIN || uid === UID_NOBODY) return uid;
    return UID_HIDDEN_MIN +
      Number.parseInt(this.digits("uid", String(uid), 12), 16) % UID_HIDDEN_COUNT;
  }
}

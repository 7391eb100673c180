/** Names kept: of interfaces that are there, and of those that went last. */
const NAMES_MAX = 16_384;

/** Names of a namespace's interfaces by their indices, of those too that went while packets waited. */
export class LinkNames {
  readonly #names = new Map<number, string>();

  /** The name that an interface has, or had last; untrusted text. */
  of(index: number): string | undefined {
    return this.#names.get(index);
  }

  /** Takes the name of an interface. */
  set(index: number, name: string): void {
    this.#names.delete(index);
    if (this.#names.size >= NAMES_MAX) this.#names.delete(this.#names.keys().next().value!);
    this.#names.set(index, name);
  }
}

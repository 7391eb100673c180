/**
 * Where a trace sees packets: interfaces, each in its network namespace.
 *
 * @module
 */

/** Places kept; beyond that the oldest are forgotten. */
const PLACES_MAX = 4_096;

/** One interface of one namespace. */
interface Place {
  netns: number;
  index: number;
  name: string | undefined;
}

/** Tells the names of interfaces in one namespace, as `PacketRing` does. */
export interface InterfaceNames {
  interfaceName(index: number): string | undefined;
}

/**
 * Gives each interface of each namespace a number from 1 on, as the matcher wants it: two namespaces
 * may have interfaces of one index. Names are looked up at first sight and kept: an interface may be
 * gone when its handshake is reported.
 */
export class Places {
  readonly #places = new Map<number, Place>();
  readonly #numbers = new Map<number, Map<number, number>>();
  readonly #onNew: (netns: number) => void;
  #last = 0;

  /** @param onNew Called with the inode number of a namespace that has a new place. */
  constructor(onNew: (netns: number) => void = () => {}) {
    this.#onNew = onNew;
  }

  /**
   * The number of a place.
   *
   * @param netns Inode number of the namespace. @param index The interface's index there.
   * @param names Tells its name, asked at first sight.
   */
  of(netns: number, index: number, names: InterfaceNames): number {
    return this.#numbers.get(netns)?.get(index) ?? this.#add(netns, index, names);
  }

  /** The name of a place's interface; undefined where it had gone, or the place is unknown. */
  nameOf(place: number): string | undefined {
    return this.#places.get(place)?.name;
  }

  /** Inode number of a place's namespace; undefined where the place is unknown, or has 0. */
  netnsOf(place: number): number | undefined {
    return this.#places.get(place)?.netns || undefined;
  }

  /** The interface's index in its namespace; undefined where the place is unknown. */
  indexOf(place: number): number | undefined {
    return this.#places.get(place)?.index;
  }

  /**
   * Forgets a namespace that is gone: another one may get its inode number, and then has other places.
   * What is known of its places stays.
   */
  forget(netns: number): void {
    this.#numbers.delete(netns);
  }

  /** Gives an interface that has another name from now on another place. */
  renamed(netns: number, index: number): void {
    this.#numbers.get(netns)?.delete(index);
  }

  #add(netns: number, index: number, names: InterfaceNames): number {
    if (this.#places.size >= PLACES_MAX) this.#removeOldest();
    const number = ++this.#last;
    this.#places.set(number, { netns, index, name: names.interfaceName(index) });
    let numbers = this.#numbers.get(netns);
    if (numbers === undefined) this.#numbers.set(netns, numbers = new Map());
    numbers.set(index, number);
    this.#onNew(netns);
    return number;
  }

  #removeOldest(): void {
    const [[number, { netns, index }]] = this.#places;
    this.#places.delete(number);
    const numbers = this.#numbers.get(netns);
    if (numbers?.get(index) === number) numbers.delete(index);
  }
}

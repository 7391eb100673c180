import { sequenceAdd } from "../wire/sequence.ts";
import { Columns } from "./columns.ts";
import { FlowIndex, INDEX_ROW_BYTES } from "./flow_index.ts";
import { Mark, WireFact } from "./facts.ts";
import { goesOnUntil, isOfVlan } from "./find_attempt.ts";
import { FlowKey } from "./flow_key.ts";
import type { FlowTable } from "./flow_table.ts";

/** What became of a handshake that is remembered. */
export const Fate = {
  /** It was reported as established, or what it is told as does not matter to what comes later. */
  Reported: 1,
  /** It was reported as not established: that the kernel says otherwise later is counted. */
  Failed: 2,
  /** A RST refused it: its client may send the very SYN again, which begins another attempt. */
  Refused: 3,
} as const;

const NONE = -1;
/** Of one tuple: looking for one must not take longer and longer where somebody makes many. */
const LOOKED_AT_MAX = 64;
const FATE_BYTES = 1 + 8 + 2;

/**
 * Handshakes that were reported a while ago, so that what comes late makes no second record: of each its
 * tuple, its client's number, when it was reported and its fate. That is a fifth of what the table keeps of
 * one that is under way. The oldest is forgotten for the next.
 */
export class Remembered extends FlowIndex {
  /** See {@link Fate}; 0 in rows that hold none. */
  readonly #fate: Uint8Array;
  readonly #reportedNs: Float64Array;
  /** As `Segment` has it. */
  readonly vlan: Int16Array;
  /** The tuple at hand. */
  readonly #key = new FlowKey(new Uint32Array(4), new Uint32Array(4));
  /** The row that is filled next. */
  #next = 0;

  /** Makes an empty one. @param capacity Handshakes, at least 1. */
  constructor(capacity: number) {
    const columns = new Columns(capacity, INDEX_ROW_BYTES + FATE_BYTES);
    super(capacity, columns);
    this.#fate = columns.take(Uint8Array, capacity);
    this.#reportedNs = columns.take(Float64Array, capacity);
    this.vlan = columns.take(Int16Array, capacity);
  }

  /** Takes the handshake of a row of the table, which was reported. */
  take(table: FlowTable, row: number): void {
    this.#takeTuple(table, row, false);
    if (table.isTranslated(row)) this.#takeTuple(table, row, true);
  }

  #takeTuple(table: FlowTable, row: number, isSecond: boolean): void {
    table.copyKey(row, isSecond, this.#key);
    const isn = table.clientIsn[row];
    this.#add(isn, table, row);
    // A SYN-ACK acknowledges what its server took of the data in the SYN: nothing, or as a rule all.
    const data = table.has(row, WireFact.Syn) ? table.synPayloadLength[row] : 0;
    if (data > 0) this.#add(sequenceAdd(isn, data), table, row);
  }

  #add(clientIsn: number, table: FlowTable, row: number): void {
    const at = this.#next;
    this.#next = at + 1 === this.capacity ? 0 : at + 1;
    this.#remove(at);
    this.addRow(at, this.#key, clientIsn);
    this.#fate[at] = fateOfRow(table, row);
    this.#reportedNs[at] = table.touchedNs[row];
    this.vlan[at] = table.vlan[row];
  }

  /**
   * What became of the newest one of a tuple and number.
   *
   * @param sinceNs One that was reported before is forgotten. @param vlan Of what comes, see `isOfVlan`.
   * @returns One of {@link Fate}, 0 where none is remembered.
   */
  fateOf(key: FlowKey, clientIsn: number, sinceNs: number, vlan = -1): number {
    const row = this.#find(key, clientIsn, vlan);
    return row !== NONE && this.#reportedNs[row] >= sinceNs ? this.#fate[row] : 0;
  }

  /** Forgets those of a tuple and number: what comes now is of another one. */
  forget(key: FlowKey, clientIsn: number): void {
    for (let row = this.#find(key, clientIsn); row !== NONE; row = this.#find(key, clientIsn)) {
      this.#remove(row);
    }
  }

  /** Moves the times of all. */
  shiftTimes(ns: number): void {
    for (let row = 0; row < this.capacity; row++) this.#reportedNs[row] += ns;
  }

  #find(key: FlowKey, clientIsn: number, vlan = -1): number {
    let row = this.find(key);
    for (let looked = 0; row !== NONE && looked < LOOKED_AT_MAX; looked++) {
      if (this.clientIsn[row] === clientIsn && isOfVlan(this, row, vlan)) return row;
      row = this.older(row, key);
    }
    return NONE;
  }

  #remove(row: number): void {
    if (this.#fate[row] === 0) return;
    this.removeRow(row);
    this.#fate[row] = 0;
  }
}

function fateOfRow(table: FlowTable, row: number): number {
  if (goesOnUntil(table, row) < Infinity) return Fate.Refused;
  return table.isMarked(row, Mark.ReportedFailed) ? Fate.Failed : Fate.Reported;
}

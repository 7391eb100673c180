/**
 * The matcher once more, plain and slow: every packet of every attempt is kept in arrays, and what
 * a record says is worked out from them when it is due. Shares nothing with the real one but types.
 *
 * @module
 */

import type {
  KernelAccept,
  KernelDrop,
  KernelEnd,
  KernelListener,
  KernelRecord,
  KernelReset,
} from "../../../src/kernel/kernel_record.ts";
import type { MatcherCounters } from "../../../src/match/options.ts";
import { TcpFlag } from "../../../src/wire/tcp_flags.ts";
import {
  ahead,
  areCopies,
  areOne,
  type Attempt,
  canGoOnAt,
  EARLY_DATA_MAX,
  type Ends,
  endsOf,
  firstOf,
  followsSyn,
  has,
  hasPackets,
  ICMP,
  ICMPV6,
  isComplete,
  isEndOf,
  isOfCookie,
  isOfVlan,
  isOneSided,
  isOpen,
  isSwapped,
  isTold,
  lacksRefusal,
  lastDropOf,
  type ModelOptions,
  newAttempt,
  passAck,
  possibleIsns,
  REFUSAL_SLACK_NS,
  see,
  type Seen,
  seenOctets,
  serverIsns,
  sharesEnd,
  type State,
  synAcksOf,
  takeAck,
  tellVlan,
  tupleOf,
  usesFastOpen,
  wentOnIn,
} from "./model_attempt.ts";
import { conclude, hasServer, isHere } from "./model_conclusion.ts";
import { canBePassed, joinSides, type Sides, sidesOf } from "./model_sides.ts";
import type { End, Event, Icmp, Snapshot } from "./traffic.ts";

/** The reference: feed it what the matcher is fed. */
export class ReferenceModel {
  readonly records: Snapshot[] = [];
  readonly counters: MatcherCounters = {
    evicted: 0,
    crowded: 0,
    contradicted: 0,
    lateKernelRecords: 0,
    lateAccepts: 0,
    unexpected: 0,
  };

  /** Remembered attempts in the order they began. */
  #attempts: Attempt[] = [];
  /** The tuples they go by, in the order in which that became known. */
  #tuples: { tuple: string; attempt: Attempt }[] = [];
  /** The same in the order they were touched. */
  #byTouch: Attempt[] = [];
  #order = 0;
  /** SYN-ACKs that fitted no handshake under way. */
  readonly #strayAnswers: Seen[] = [];

  constructor(readonly options: ModelOptions) {}

  /** Attempts begun and not reported. */
  get pending(): number {
    return this.#attempts.filter(({ state }) => state !== "reported").length;
  }

  feed(event: Event): void {
    if ("record" in event) return this.#kernelRecord(event.record);
    if ("jumpNs" in event || "fellSilentNs" in event) {
      throw new Error("The model knows none of that");
    }
    if ("completeNs" in event) return this.#advance(event.completeNs);
    if ("icmp" in event) return this.#icmpError(event.icmp, event.timeNs);
    const seen = { ...event, order: this.#order++ };
    const { packet } = event;
    if (has(packet, TcpFlag.RST)) this.#reset(seen);
    else if (has(packet, TcpFlag.SYN) && has(packet, TcpFlag.ACK)) this.#synAck(seen);
    else if (has(packet, TcpFlag.SYN)) this.#syn(seen);
    else if (has(packet, TcpFlag.ACK)) this.#thirdPacket(seen);
  }

  flush(): void {
    for (const state of ["doubted", "concluded", "answered", "syn_sent"] as const) {
      for (let [next] = this.#in(state); next; [next] = this.#in(state)) {
        this.#report(next, true, next.touchedNs);
      }
    }
  }

  /** Attempts of a tuple, the newest first. */
  #of(client: End, server: End): Attempt[] {
    const tuple = tupleOf(client, server);
    return this.#tuples.filter((each) => each.tuple === tuple).reverse()
      .map(({ attempt }) => attempt);
  }

  /** Attempts of a state, the one longest untouched first. */
  #in(state: State): Attempt[] {
    return this.#byTouch.filter((attempt) => attempt.state === state);
  }

  #begin(client: End, server: End, clientIsn: number, state: State, nowNs: number): Attempt {
    if (this.#attempts.length >= this.options.capacity) this.#makeRoom();
    const attempt = newAttempt(client, server, clientIsn, state, nowNs);
    this.#attempts.push(attempt);
    this.#tuples.push({ tuple: tupleOf(client, server), attempt });
    this.#byTouch.push(attempt);
    return attempt;
  }

  /** The attempt that goes by another tuple too, of those with one number; it does from now on. */
  #translated(
    clientIsn: number,
    ends: Ends,
    isSame: (attempt: Attempt) => boolean,
  ): Attempt | undefined {
    const tuple = tupleOf(ends.client, ends.server);
    const attempt = this.#attempts.filter((each) => each.clientIsn === clientIsn).reverse()
      .slice(0, 8)
      .find((each) =>
        each.state !== "reported" && each.other === undefined &&
        tupleOf(each.client, each.server) !== tuple && isSame(each)
      );
    if (attempt) {
      attempt.other = ends;
      this.#tuples.push({ tuple, attempt });
    }
    return attempt;
  }

  /** What the kernel told of the SYN before it was translated. */
  #ofTranslatedSyn({ packet, timeNs }: Seen): Attempt | undefined {
    const ends = { client: packet.from, server: packet.to };
    return this.#translated(packet.sequence, ends, (attempt) => {
      const half = attempt.clientKernel ?? attempt.serverKernel;
      if (hasPackets(attempt) || half === undefined) return false;
      const sinceNs = half.synSentNs ?? half.connectNs ?? half.endNs - 10_000_000_000;
      return (half.newState === 1 || sharesEnd(attempt, ends)) &&
        timeNs >= sinceNs - 1_000_000 && timeNs <= half.endNs + 1_000_000;
    });
  }

  /** Begins an attempt whose SYN may be that of others, translated. */
  #beginPassed(seen: Seen): Attempt {
    const { from, to, sequence } = seen.packet;
    const passed = this.#attempts.filter(({ clientIsn }) => clientIsn === sequence).reverse()
      .slice(0, 8).filter((each) =>
        each.state !== "reported" && each.other === undefined &&
        tupleOf(each.client, each.server) !== tupleOf(from, to) && canBePassed(each, seen)
      );
    for (const each of passed) each.mayHavePassed = true;
    const attempt = this.#begin(from, to, sequence, "syn_sent", seen.timeNs);
    attempt.mayHavePassed = attempt.isPassed = passed.length > 0;
    return attempt;
  }

  /** What the other side of the translation is, or the packets of this one. */
  #ofTranslatedHalf(record: KernelEnd, ends: Ends, clientIsn: number): Attempt | undefined {
    return this.#translated(clientIsn, ends, (attempt) => isEndOf(attempt, record, ends));
  }

  /** A SYN with what the kernel did with it, and its client by another tuple: what is reported takes it. */
  #joinClient(attempt: Attempt, nowNs: number): "joined" | "goes on" {
    const told = (each: Attempt) => each.drops.length + each.kernelResets.length;
    const isClient = (each: Attempt) =>
      !hasPackets(each) && each.other === undefined && told(each) === 0 &&
      each.clientKernel !== undefined && (each.serverKernel ?? each.accept) === undefined;
    const isRefused = (each: Attempt) =>
      each.syns.length > 0 && each.other === undefined && told(each) > 0 &&
      (each.clientKernel ?? each.serverKernel) === undefined;
    const isAlone = isClient(attempt);
    if (!isAlone && !isRefused(attempt)) return "goes on";
    const tuple = tupleOf(attempt.client, attempt.server);
    const found = this.#attempts.filter(({ clientIsn }) => clientIsn === attempt.clientIsn)
      .reverse().slice(0, 8).find((each) => {
        const [syn, client] = isAlone ? [each, attempt] : [attempt, each];
        if (each.state === "reported" || tupleOf(each.client, each.server) === tuple) return false;
        return each.other === undefined && isRefused(syn) && isClient(client) &&
          isEndOf(syn, client.clientKernel!, client);
      });
    if (found === undefined) return "goes on";
    const [syn, client] = isAlone ? [found, attempt] : [attempt, found];
    syn.other = { client: client.client, server: client.server };
    this.#tuples.push({ tuple: tupleOf(client.client, client.server), attempt: syn });
    syn.clientKernel = client.clientKernel;
    if (client.state === "concluded") this.#settle(syn, nowNs);
    this.#touch(client, "reported", nowNs);
    this.#forgetKernel(client);
    return isAlone ? "joined" : "goes on";
  }

  /** What the kernel did with a SYN behind a translation and that SYN: what is reported takes it. */
  #joinFate(attempt: Attempt, nowNs: number): "joined" | "goes on" {
    const isWord = (each: Attempt) =>
      !hasPackets(each) && each.other === undefined &&
      [each.clientKernel, each.serverKernel, each.accept].every((it) => it === undefined) &&
      each.drops.length + each.kernelResets.length > 0;
    const isUnexplained = (each: Attempt) =>
      each.syns.length > 0 && each.synAcks.length === 0 && each.other === undefined &&
      each.drops.length + each.kernelResets.length === 0;
    const isFate = isWord(attempt);
    if (!isFate && !isUnexplained(attempt)) return "goes on";
    const tuple = tupleOf(attempt.client, attempt.server);
    const found = this.#attempts.filter(({ clientIsn }) => clientIsn === attempt.clientIsn)
      .reverse().slice(0, 8).find((each) => {
        const [syn, fate] = isFate ? [each, attempt] : [attempt, each];
        if (each.state === "reported" || tupleOf(each.client, each.server) === tuple) return false;
        if (!isUnexplained(syn) || !isWord(fate) || !sharesEnd(syn, fate)) return false;
        const toldNs = fate.kernelResets.at(-1)?.endNs ?? lastDropOf(fate)!.endNs;
        return Math.abs(toldNs - syn.syns.at(-1)!.timeNs) <= REFUSAL_SLACK_NS;
      });
    if (found === undefined) return "goes on";
    const [syn, fate] = isFate ? [found, attempt] : [attempt, found];
    syn.other = { client: fate.client, server: fate.server };
    this.#tuples.push({ tuple: tupleOf(fate.client, fate.server), attempt: syn });
    syn.drops = fate.drops;
    syn.kernelResets = fate.kernelResets;
    syn.kernelRefusedNs = fate.kernelRefusedNs;
    if (fate.state === "concluded") this.#settle(syn, nowNs);
    this.#touch(fate, "reported", nowNs);
    this.#forgetKernel(fate);
    return isFate ? "joined" : "goes on";
  }

  #makeRoom(): void {
    const [reported] = this.#in("reported");
    if (reported) return this.#forget(reported);
    const [halfOpen] = [...this.#in("syn_sent").slice(0, 1), ...this.#in("answered").slice(0, 1)]
      .sort((a, b) => a.touchedNs - b.touchedNs);
    if (halfOpen) {
      this.counters.evicted++;
      return this.#forget(halfOpen);
    }
    const [known] = [...this.#in("doubted"), ...this.#in("concluded")];
    this.#report(known, false, known.touchedNs);
    this.#forget(known);
  }

  #forget(attempt: Attempt): void {
    this.#attempts = this.#attempts.filter((other) => other !== attempt);
    this.#tuples = this.#tuples.filter((each) => each.attempt !== attempt);
    this.#byTouch = this.#byTouch.filter((other) => other !== attempt);
  }

  #touch(attempt: Attempt, state: State, nowNs: number): void {
    this.#byTouch = this.#byTouch.filter((other) => other !== attempt);
    this.#byTouch.push(attempt);
    attempt.state = state;
    attempt.touchedNs = nowNs;
  }

  #syn(seen: Seen): void {
    const { from, to } = seen.packet;
    const attempt = this.#ofSyn(seen) ?? this.#ofTranslatedSyn(seen) ??
      this.#beginPassed(seen);
    if (attempt.state === "reported") return;
    see(attempt, from, to, seen);
    const [first] = attempt.syns;
    if (first && first.place !== seen.place) {
      if (attempt.synAcks.length === 0) attempt.synElsewhere = seen;
      return;
    }
    if (first && areCopies(attempt.syns.at(-1)!, seen)) return;
    if (first === undefined) {
      tellVlan(attempt, seen.packet);
      const [answer] = synAcksOf(attempt);
      if (answer) attempt.isMistimed ||= isSwapped(answer, seen);
    }
    attempt.syns.push(seen);
    if (first && attempt.state !== "concluded") this.#touch(attempt, attempt.state, seen.timeNs);
  }

  #ofSyn(seen: Seen): Attempt | undefined {
    const { packet, timeNs, place } = seen;
    const same = this.#of(packet.from, packet.to)
      .filter(({ clientIsn }) => clientIsn === packet.sequence);
    const [newest, ...older] = same;
    if (newest === undefined) return undefined;
    const earlier = older.filter(({ serverResets, refusedNs, kernelRefusedNs }) => {
      if (serverResets > 0 && refusedNs !== undefined) return timeNs <= refusedNs;
      return kernelRefusedNs !== undefined && timeNs <= kernelRefusedNs + REFUSAL_SLACK_NS;
    });
    const attempt = newest.syns.length > 0 ? newest : earlier.at(-1) ?? newest;
    const { syns, synAcks, serverResets } = attempt;
    if (syns[0]?.place !== place) return attempt;
    if (areCopies(syns.at(-1)!, seen)) return attempt;
    if (serverResets > 0 && synAcks.length === 0) return undefined;
    return same.slice(same.indexOf(attempt)).find((each) => isOfVlan(each, packet));
  }

  /** The attempt with an initial sequence number, of several the one that a kernel's record fits. */
  #at(client: End, server: End, isn: number, timeNs: number, sinceNs: number): Attempt | undefined {
    const same = this.#of(client, server).filter(({ clientIsn }) => clientIsn === isn);
    const index = same.findIndex(({ syns }) => syns.length === 0 || syns[0].timeNs <= timeNs);
    if (index < 0) return same.at(-1);
    const begun = same.slice(index).filter(({ syns }) => !(syns[0]?.timeNs > timeNs));
    return begun.find((each) => canGoOnAt(each, sinceNs)) ?? same[index - 1];
  }

  /** The attempt whose SYN the kernel dropped. */
  #dropped(record: KernelDrop): Attempt | undefined {
    const { sequence, reason, endNs } = record;
    const [from, to] = endsOf(record);
    const found = this.#at(from, to, sequence, endNs, endNs - REFUSAL_SLACK_NS);
    if (found === undefined || reason !== "NO_SOCKET") return found;
    const same = this.#of(from, to).filter(({ clientIsn }) => clientIsn === sequence);
    return same.slice(same.indexOf(found)).find((each) => lacksRefusal(each, endNs)) ?? found;
  }

  #synAck(seen: Seen): void {
    const { from: server, to: client, acknowledgment = 0 } = seen.packet;
    const attempts = this.#of(client, server);
    const answered = attempts.filter((each) => followsSyn(each, acknowledgment));
    let attempt = answered.find((each) => isOfVlan(each, seen.packet)) ?? answered[0];
    if (attempt === undefined) {
      const [newest] = attempts;
      if (newest && isOpen(newest)) {
        if (newest.synAcks.length === 0) newest.wrongSynAckAck = true;
        this.counters.unexpected++;
        this.#strayAnswers.push(seen);
        return;
      }
      // The same answer within a tenth of a second is a copy of it.
      const isStray = this.#strayAnswers.some(({ packet, timeNs }) =>
        Math.abs(timeNs - seen.timeNs) <= 100_000_000 && packet.sequence === seen.packet.sequence &&
        packet.acknowledgment === acknowledgment &&
        tupleOf(packet.to, packet.from) === tupleOf(client, server)
      );
      if (isStray) return;
      const isn = ahead(1, acknowledgment);
      attempt = this.#begin(client, server, isn, "answered", seen.timeNs);
    }
    if (attempt.synAcks.length === 0) {
      const own = this.#of(server, client).find(({ clientIsn }) =>
        clientIsn === seen.packet.sequence
      );
      if (own && areOne(attempt, own)) {
        const [kept, joined] = firstOf(attempt, own);
        kept.serverSynIsn = joined.clientIsn;
        if (joined.state !== "reported") {
          if (kept.drops.length === 0) kept.drops = joined.drops;
          const { clientKernel } = joined;
          this.#touch(joined, "reported", seen.timeNs);
          this.#forgetKernel(joined);
          if (clientKernel) {
            kept.serverKernel ??= clientKernel;
            this.#settle(kept, seen.timeNs);
          }
        }
        if (kept === own) {
          see(kept, server, client, seen);
          kept.answeredToo = true;
          if (kept.synAcks.length > 0) this.#settle(kept, seen.timeNs);
          else this.#answer(kept, seen.timeNs);
          return;
        }
      }
    }
    if (attempt.state === "reported") return;
    if (attempt.synAcks.length === 0) {
      const isFirst = (attempt.syns[0]?.place ?? 0) === seen.place;
      attempt.bothPassed ||= !isFirst && attempt.places.includes(seen.place);
    }
    see(attempt, client, server, seen);
    // The other way round it is established already.
    if (attempt.ack && attempt.synAcks.length === 0) return;
    const counted = synAcksOf(attempt);
    const place = counted[0]?.place;
    if (seen.place === place && areCopies(counted.at(-1)!, seen)) return;
    if (attempt.syns.length + attempt.synAcks.length === 0) tellVlan(attempt, seen.packet);
    attempt.synAcks.push(seen);
    const isFirst = attempt.synAcks.length === 1;
    if (isFirst) this.#answer(attempt, seen.timeNs);
    const isns = serverIsns(attempt);
    for (const isn of attempt.sent.keys()) if (!isns.includes(isn)) attempt.sent.delete(isn);
    if ((isFirst || seen.place === place) && attempt.ack === undefined) {
      const canComplete = !attempt.answerReset && !attempt.isProven && !attempt.wentOn;
      if (this.#acceptsHeld(attempt) && canComplete) {
        attempt.isBackwards = true;
        attempt.isMistimed ||= isSwapped(attempt.held!, seen, 1_000_000);
        this.#completeHeld(attempt, seen.timeNs);
      } else if (isFirst && attempt.held) {
        this.counters.unexpected++;
        attempt.misfit ??= { sequence: false, acknowledgment: true };
      }
    }
    if (!isFirst && seen.place === place && attempt.state !== "concluded") {
      this.#touch(attempt, attempt.state, seen.timeNs);
    }
    if (attempt.synAcks.length > 1 || !attempt.answeredToo) return;
    if (attempt.serverSynIsn === seen.packet.sequence) this.#settle(attempt, seen.timeNs);
    else attempt.answeredToo = false;
  }

  /** Waits for the ACK from now on, because the SYN was answered, whatever RST came before. */
  #answer(attempt: Attempt, timeNs: number): void {
    if (attempt.ack || attempt.state === "answered") return;
    if (attempt.state === "concluded" && isTold(attempt)) return;
    this.#touch(attempt, "answered", timeNs);
  }

  /** Octets that the server can have sent from a number on. */
  #sentMax(attempt: Attempt, isn: number): number {
    if (usesFastOpen(attempt)) return EARLY_DATA_MAX;
    const seen = seenOctets(attempt, isn);
    if (this.options.seesServerData) return seen;
    const window = attempt.syns.length > 0 ? attempt.syns[0].packet.window ?? 0 : 65535;
    return Math.max(seen, 1 + window);
  }

  /** The server's initial sequence number that an Ack acknowledges, of those it sent. */
  #acknowledgedIsn(
    attempt: Attempt,
    acknowledgment: number,
    isns = serverIsns(attempt),
  ): number | undefined {
    return isns.find((isn) => ahead(isn, acknowledgment) === 1) ?? isns.find((isn) => {
      const octets = ahead(isn, acknowledgment);
      return octets >= 1 && octets <= this.#sentMax(attempt, isn);
    });
  }

  /** Whether an ACK can be the third packet; once that was seen, only one that acknowledges as much. */
  #canBeThird(attempt: Attempt, sequence: number, acknowledgment: number): boolean {
    if (!followsSyn(attempt, sequence)) return false;
    if (attempt.ack === undefined || attempt.acknowledgedIsn === undefined) return true;
    return this.#acknowledgedIsn(attempt, acknowledgment, [attempt.acknowledgedIsn]) !== undefined;
  }

  #acceptsHeld(attempt: Attempt): boolean {
    return attempt.held !== undefined && attempt.synAcks.length > 0 &&
      this.#acknowledgedIsn(attempt, attempt.held.packet.acknowledgment ?? 0) !== undefined;
  }

  #completeHeld(attempt: Attempt, timeNs: number): void {
    // What was sent in the meantime counts as sent before it.
    this.#complete(attempt, { ...attempt.held!, order: this.#order }, timeNs);
  }

  #complete(attempt: Attempt, ack: Seen, timeNs: number): void {
    attempt.acknowledgedIsn = this.#acknowledgedIsn(attempt, ack.packet.acknowledgment ?? 0);
    takeAck(attempt, ack);
    this.#established(attempt, timeNs);
  }

  #established(attempt: Attempt, timeNs: number): void {
    if (isTold(attempt) || !hasServer(attempt, this.options)) this.#settle(attempt, timeNs);
    else if (attempt.state !== "concluded") this.#touch(attempt, "answered", timeNs);
  }

  #thirdPacket(seen: Seen): void {
    const { packet } = seen;
    const { from, to, sequence, acknowledgment = 0 } = packet;
    const own = this.#of(from, to);
    const answered = own.filter((attempt) => !isComplete(attempt) && attempt.synAcks.length > 0);
    const waiting = answered.filter(({ answerReset, wentOn }) => !answerReset && !wentOn);
    const accepting = waiting.filter((attempt) =>
      this.#acknowledgedIsn(attempt, acknowledgment) !== undefined
    );
    const fitting = accepting.filter((attempt) => followsSyn(attempt, sequence));
    const third = fitting.find((each) => isOfVlan(each, packet)) ?? fitting[0];
    if (third) return this.#complete(third, seen, seen.timeNs);
    const astray = own.find((each) => each.isAckAstray && each.state !== "reported");
    if (astray && passAck(astray, seen)) return;
    if (this.#serverSegment(seen)) return;
    const early = own.find((attempt) =>
      isOpen(attempt) && attempt.syns.length > 0 && attempt.synAcks.length === 0 &&
      followsSyn(attempt, sequence)
    );
    const ended = answered.find((each) => each.answerReset && followsSyn(each, sequence));
    const isOfEnded = ended && isOfVlan(ended, packet);
    if (early && !(isOfEnded && !isOfVlan(early, packet))) {
      early.held ??= seen;
      const isLikely = isOneSided(early) && !isHere(early, "server", this.options);
      if (isLikely) this.#doubt(early, seen.timeNs);
      return;
    }
    const later = accepting.find((each) => wentOnIn(each, packet));
    if (later) {
      later.wentOn = true;
      later.misfit = { sequence: true, acknowledgment: false };
      const isDecided = isTold(later) || hasServer(later, this.options);
      if (isDecided) return this.#established(later, seen.timeNs);
      return this.#doubt(later, seen.timeNs);
    }
    const [newest] = waiting;
    const fitsSequence = newest !== undefined && followsSyn(newest, sequence);
    if (ended && !fitsSequence) {
      ended.held ??= seen;
      return;
    }
    if (newest === undefined) return;
    this.counters.unexpected++;
    if (fitsSequence) newest.held ??= seen;
    newest.misfit ??= {
      sequence: !fitsSequence,
      acknowledgment: this.#acknowledgedIsn(newest, acknowledgment) === undefined,
    };
  }

  /** @returns Whether it is of a server that an attempt waits for. */
  #serverSegment(seen: Seen): boolean {
    const { from, to, sequence, acknowledgment = 0, payloadLength = 0, flags } = seen.packet;
    const length = payloadLength + ((flags & TcpFlag.FIN) === 0 ? 0 : 1);
    for (const attempt of this.#of(to, from)) {
      const { synAcks, answeredToo, serverSynIsn } = attempt;
      if (answeredToo && synAcks.length === 0 && isOpen(attempt)) {
        if (ahead(serverSynIsn!, sequence) !== 1 || !followsSyn(attempt, acknowledgment)) continue;
        takeAck(attempt, seen);
        this.#settle(attempt, seen.timeNs);
        return true;
      }
      if (isComplete(attempt) || synAcks.length === 0) continue;
      const isns = serverIsns(attempt).filter((isn) => {
        const distance = ahead(isn, sequence);
        return distance >= 1 && distance <= 65536;
      });
      if (isns.length === 0) continue;
      for (const isn of isns) {
        const octets = Math.min(ahead(isn, sequence) + length, EARLY_DATA_MAX);
        attempt.sent.set(isn, Math.max(octets, attempt.sent.get(isn) ?? 0));
      }
      const acknowledged = ahead(attempt.clientIsn, acknowledgment);
      const isProof = acknowledged > 1 + (attempt.syns[0]?.packet.payloadLength ?? 0) &&
        acknowledged <= EARLY_DATA_MAX;
      const canComplete = isProof || !attempt.answerReset && !attempt.wentOn;
      if (this.#acceptsHeld(attempt) && canComplete) {
        this.#completeHeld(attempt, seen.timeNs);
      } else if (isProof) {
        attempt.isProven = true;
        this.#established(attempt, seen.timeNs);
      }
      return true;
    }
    return false;
  }

  #reset(seen: Seen): void {
    const { packet } = seen;
    const { from, to, sequence, acknowledgment = 0 } = packet;
    const asServer = this.#of(to, from).filter(isOpen);
    const answered = asServer.filter((attempt) =>
      attempt.synAcks.length > 0
        ? serverIsns(attempt).some((isn) => {
          const octets = ahead(isn, sequence);
          return octets >= 1 && octets <= seenOctets(attempt, isn);
        })
        : has(packet, TcpFlag.ACK) && followsSyn(attempt, acknowledgment)
    );
    const refused = answered.find(({ syns }) => syns.length > 0) ??
      answered.findLast(({ clientIsn }) => clientIsn === answered[0].clientIsn);
    const isCopy = refused?.syns.length === 0 &&
      this.#of(to, from).some((other) =>
        other.clientIsn === refused.clientIsn && other.serverResets > 0
      );
    if (isCopy) return;
    const asClient = this.#of(from, to).filter(isOpen);
    const aborted = asClient.find((attempt) =>
      !isOneSided(attempt) && !attempt.wentOn && followsSyn(attempt, sequence)
    );
    const ended = refused ?? aborted;
    if (ended === undefined) {
      if (asServer.length + asClient.length > 0) this.counters.unexpected++;
      return;
    }
    if (ended === refused) {
      ended.serverResets++;
      ended.refusedNs = ended.synAcks.length > 0 ? ended.kernelRefusedNs : seen.timeNs;
    } else ended.clientResets++;
    ended.answerReset = ended.synAcks.length > 0;
    this.#doubt(ended, seen.timeNs);
  }

  /** What packets tell, later ones may tell otherwise, but not of this host's own stack. */
  #doubt(attempt: Attempt, timeNs: number): void {
    const isOwn = isHere(attempt, "client", this.options) ||
      isHere(attempt, "server", this.options);
    const isSure = isOwn && !hasServer(attempt, this.options) || isTold(attempt);
    if (isSure) this.#settle(attempt, timeNs);
    else if (attempt.state !== "concluded") this.#touch(attempt, "doubted", timeNs);
  }

  #icmpError({ isIpv6, type, code, reporter, quoted }: Icmp, timeNs: number): void {
    const names = (isIpv6 ? ICMPV6 : ICMP)[type];
    const symbol = names?.[code];
    if (!symbol || has(quoted, TcpFlag.ACK)) return;
    const attempt = this.#of(quoted.from, quoted.to)
      .find(({ clientIsn }) => clientIsn === quoted.sequence);
    if (attempt === undefined || attempt.state === "reported") return;
    attempt.icmps.push({ symbol, reporter, timeNs });
    if (attempt.state !== "concluded") this.#touch(attempt, attempt.state, timeNs);
  }

  #kernelRecord(record: Exclude<KernelRecord, KernelListener>): void {
    if (record.kind === "accepted") this.#accept(record);
    else if (record.kind === "dropped") this.#drop(record);
    else if (record.kind === "reset") this.#kernelReset(record);
    else this.#half(record);
  }

  #accept(record: KernelAccept): void {
    const client = { address: record.remote, port: record.remotePort };
    const server = { address: record.local, port: record.localPort };
    const { irs, endNs } = record;
    const attempt = this.#at(client, server, irs, endNs, endNs);
    if (attempt === undefined || attempt.state === "reported") this.counters.lateAccepts++;
    else if (attempt.accept) this.counters.lateKernelRecords++;
    else {
      attempt.accept = record;
      if (attempt.ack) this.#settle(attempt, endNs);
    }
  }

  #drop(record: KernelDrop): void {
    const { flags, sequence, acknowledgment, endNs } = record;
    const [from, to] = endsOf(record);
    let attempt: Attempt | undefined;
    if (flags === TcpFlag.SYN) {
      attempt = this.#dropped(record) ?? this.#begin(from, to, sequence, "syn_sent", endNs);
    } else if (flags === (TcpFlag.SYN | TcpFlag.ACK)) {
      const attempts = this.#of(to, from);
      attempt = attempts.find((each) => followsSyn(each, acknowledgment) && canGoOnAt(each, endNs));
      const [newest] = attempts;
      const isForeign = newest && (isOpen(newest) && newest.synAcks.length === 0 ||
        newest.syns[0]?.timeNs <= endNs && endNs < synAcksOf(newest)[0]?.timeNs);
      if (attempt === undefined && !isForeign) {
        attempt = this.#begin(to, from, ahead(1, acknowledgment), "answered", endNs);
      }
    }
    if (attempt === undefined) {
      this.counters.unexpected++;
    } else if (attempt.state === "reported") {
      this.counters.lateKernelRecords++;
    } else {
      attempt.drops.push(record);
      const isAnswer = flags !== TcpFlag.SYN;
      const last = lastDropOf(attempt)!;
      if (last.reason === "NO_SOCKET" && last.flags === TcpFlag.SYN) {
        attempt.kernelRefusedNs = endNs;
        this.#settle(attempt, endNs);
      } else if (attempt.state === "syn_sent" && isAnswer) {
        this.#touch(attempt, "answered", endNs);
      } else if (attempt.state !== "concluded") this.#touch(attempt, attempt.state, endNs);
    }
  }

  #kernelReset(record: KernelReset): void {
    const { flags, sequence, acknowledgment, endNs } = record;
    const [from, to] = endsOf(record);
    let attempt: Attempt | undefined;
    if (flags === TcpFlag.SYN) {
      attempt = this.#at(from, to, sequence, endNs, endNs - REFUSAL_SLACK_NS);
    } else if (flags === TcpFlag.ACK) {
      attempt = this.#of(from, to).find((each) => this.#canBeThird(each, sequence, acknowledgment));
    } else {
      attempt = this.#of(to, from).find((each) => followsSyn(each, acknowledgment));
    }
    if (attempt === undefined && flags === TcpFlag.SYN) {
      attempt = this.#begin(from, to, sequence, "syn_sent", record.endNs);
    }
    if (attempt?.state === "reported") {
      this.counters.lateKernelRecords++;
    } else if (attempt) {
      attempt.kernelResets.push(record);
      if (flags === TcpFlag.SYN) {
        attempt.kernelRefusedNs = endNs;
        this.#settle(attempt, endNs);
      }
    }
  }

  #half(record: KernelEnd): void {
    const local = { address: record.local, port: record.localPort };
    const remote = { address: record.remote, port: record.remotePort };
    const isClient = record.kind === "client";
    const [client, server] = isClient ? [local, remote] : [remote, local];
    const isn = (isClient ? record.iss : record.irs) ?? 0;
    const half = isClient ? "clientKernel" : "serverKernel";
    const failed = record.newState !== 1;
    const begunNs = isClient && failed
      ? record.synSentNs ?? record.connectNs ?? -Infinity
      : record.endNs;
    let attempt = isClient && failed && (local.port === 0 || record.iss === 0)
      ? undefined
      : this.#at(client, server, isn, record.endNs, begunNs) ??
        this.#of(client, server).find((each) => isOfCookie(each, record)) ??
        this.#ofTranslatedHalf(record, { client, server }, isn);
    if (attempt?.state === "reported" || attempt?.[half] !== undefined) {
      const [kept] = this.#of(server, client).filter((each) => each.clientIsn === record.irs);
      const isServersOwn = isClient && kept?.state !== "reported" &&
        kept?.serverSynIsn !== undefined && kept.serverKernel === undefined &&
        (kept.acknowledgedIsn ?? kept.synAcks[0]?.packet.sequence ?? kept.serverSynIsn) === isn;
      if (isServersOwn) {
        kept.serverKernel = record;
        return this.#settle(kept, record.endNs);
      }
      const isWrong = attempt?.state === "reported" && attempt.wasFailed && !failed;
      this.counters[isWrong ? "contradicted" : "lateKernelRecords"]++;
      return;
    }
    attempt ??= this.#begin(client, server, isn, "concluded", record.endNs);
    attempt[half] = record;
    this.#settle(attempt, record.endNs);
  }

  #settle(attempt: Attempt, nowNs: number): void {
    if (attempt.state !== "concluded") this.#touch(attempt, "concluded", nowNs);
  }

  #advance(completeNs: number): void {
    const { joinNs, doubtNs, unansweredNs, halfOpenNs, rememberNs } = this.options;
    const limits: [State, number][] = [
      ["concluded", joinNs],
      ["doubted", doubtNs],
      ["syn_sent", unansweredNs],
      ["answered", halfOpenNs],
    ];
    for (const [state, limitNs] of limits) {
      const untilNs = completeNs - limitNs;
      for (let [next] = this.#in(state); next?.touchedNs <= untilNs; [next] = this.#in(state)) {
        this.#report(next, false, completeNs);
      }
    }
    for (const attempt of this.#in("reported")) {
      if (attempt.touchedNs > completeNs - rememberNs) break;
      this.#forget(attempt);
    }
  }

  #report(attempt: Attempt, traceEnded: boolean, nowNs: number): void {
    if (this.#joinFate(attempt, nowNs) === "joined") return;
    if (this.#joinClient(attempt, nowNs) === "joined") return;
    const sides = sidesOf(
      this.#attempts,
      attempt,
      (each, acknowledgment) =>
        this.#acknowledgedIsn(each, acknowledgment, possibleIsns(each)) !== undefined,
    );
    if (sides) this.#joinSides(sides, nowNs);
    if (sides?.[1] === attempt) return;
    if (isOneSided(attempt) && !isHere(attempt, "server", this.options)) {
      attempt.ack = attempt.held;
    }
    const record = conclude(attempt, traceEnded, this.options);
    this.records.push(record);
    attempt.wasFailed = record.outcome !== "established";
    this.#touch(attempt, "reported", nowNs);
    this.#forgetKernel(attempt);
  }

  #joinSides([near, far]: Sides, nowNs: number): void {
    const { state, client, server } = far;
    joinSides([near, far]);
    this.#tuples.push({ tuple: tupleOf(client, server), attempt: near });
    this.#forgetKernel(far);
    this.#touch(far, "reported", nowNs);
    if (state === "concluded") this.#settle(near, nowNs);
    else if (state === "doubted") this.#doubt(near, nowNs);
    else if (state === "answered") this.#answer(near, nowNs);
  }

  #forgetKernel(attempt: Attempt): void {
    attempt.clientKernel = attempt.serverKernel = attempt.accept = undefined;
    attempt.drops = [];
    attempt.kernelResets = [];
    attempt.icmps = [];
  }
}

/** Numbers of reasons and their symbols, such as 12 and NETFILTER_DROP. */
export type ReasonNames = ReadonlyMap<number, string>;

/** How the kernel prints the member `reason` of an event in words (trace_event macros). */
const BEGIN = "__print_symbolic(REC->reason,";
/** One of its pairs, with the comma before it. */
const PAIR = /[\s,]*\{\s*([^{},"]{1,32}?)\s*,\s*"([^"]{0,128})"\s*\}/y;
const NUMBER = /^(?:0x[0-9a-f]{1,8}|[0-9]{1,10})$/i;
const SYMBOL = /^[A-Z][A-Z0-9_]{0,63}$/;

/**
 * Reads which number means which reason out of the format file of a tracepoint, which names them for
 * the running kernel: the numbers differ from one kernel to the next.
 *
 * @param format Text of `events/skb/kfree_skb/format` or `events/tcp/tcp_send_reset/format`.
 * @returns Every pair of a number and a symbol; what is neither is left out. Empty where the event
 *   does not print its reason by symbols.
 */
export function parseReasonNames(format: string): ReasonNames {
  const names = new Map<number, string>();
  const begin = format.indexOf(BEGIN);
  if (begin < 0) return names;
  PAIR.lastIndex = begin + BEGIN.length;
  for (let pair = PAIR.exec(format); pair; pair = PAIR.exec(format)) {
    const [, number, symbol] = pair;
    if (NUMBER.test(number) && SYMBOL.test(symbol)) names.set(Number(number), symbol);
  }
  return names;
}

/**
 * The symbol of a reason.
 *
 * @param names What the running kernel calls its reasons.
 * @param number The reason as a probe saw it.
 * @returns `REASON_n` for a number without a name: those of subsystems have none in the format.
 */
export function reasonName(names: ReasonNames, number: number): string {
  return names.get(number) ?? `REASON_${number}`;
}

/**
 * Why a copy of a packet for another socket is dropped, not the packet: a packet socket had no room
 * for it, or a raw socket was closed before it was read.
 */
const COPY_DROPPED: ReadonlySet<string> = new Set(["PACKET_SOCK_ERROR", "QUEUE_PURGE"]);

/**
 * The symbol of the reason for which a packet was dropped.
 *
 * @param names What the running kernel calls its reasons.
 * @param number The reason as a probe saw it.
 * @returns As {@link reasonName}; undefined where only a copy was dropped, such as ours when the ring
 *   is full.
 */
export function dropReasonName(names: ReasonNames, number: number): string | undefined {
  const name = reasonName(names, number);
  return COPY_DROPPED.has(name) ? undefined : name;
}

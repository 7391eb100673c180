/**
 * How a handshake ended, and the symbol that says why it failed.
 *
 * @module
 */
import { Errno, errnoName } from "../kernel/errno.ts";
import type { KernelEnd, KernelReset } from "../kernel/kernel_record.ts";
import { TcpState } from "../kernel/tcp_state.ts";
import { isPortUnreachable } from "../wire/icmp.ts";
import type { HostContext } from "./conclude.ts";
import { type Drops, isRefusal } from "./drops.ts";
import { isSyn } from "./find_attempt.ts";
import { Mark, WireFact } from "./facts.ts";
import type { FlowTable } from "./flow_table.ts";
import type { Handshake, Outcome } from "./handshake.ts";

const UNREACHABLE_ERRORS: ReadonlySet<number> = new Set([
  Errno.ENETDOWN,
  Errno.ENETUNREACH,
  Errno.EHOSTDOWN,
  Errno.EHOSTUNREACH,
]);

/** After both ends sent a SYN each sends a SYN-ACK (RFC 9293 figure 7): no third packet is needed. */
const BOTH_ANSWERED = WireFact.SynAck | WireFact.SimultaneousSynAck;

/** How the handshake of a row ended. */
export function outcomeOf(table: FlowTable, row: number, hostContext: HostContext): Outcome {
  if (isEstablished(table, row, hostContext)) return "established";
  return failureOf(
    table.facts[row],
    table.clientKernel[row],
    table.serverKernel[row],
    table.drops[row],
    table.reset[row],
    icmpOutcome(table, row),
  );
}

/** Whether the kernel says so of either end, or the packets do where no kernel of a server here tells. */
function isEstablished(table: FlowTable, row: number, hostContext: HostContext): boolean {
  const client = table.clientKernel[row];
  const server = table.serverKernel[row];
  if (client?.newState === TcpState.Established || server?.newState === TcpState.Established) {
    return true;
  }
  if (table.hasAll(row, BOTH_ANSWERED)) return true;
  const thirdNs = table.has(row, WireFact.Ack) ? table.ackNs[row] : table.touchedNs[row];
  const wentOn = table.isMarked(row, Mark.LaterAck) && !table.has(row, WireFact.ServerReset);
  const hasThird = table.has(row, WireFact.Ack) || table.isMarked(row, Mark.Proven) || wentOn;
  return hasThird &&
    (table.accept[row] !== undefined || !hasServer(table, row, thirdNs, hostContext));
}

/** See {@link HostContext.hasServer}. @param timeNs When what it was to tell happened. */
export function hasServer(
  table: FlowTable,
  row: number,
  timeNs: number,
  hostContext: HostContext,
): boolean {
  const at = table.tupleAt(row);
  return hostContext.hasServer?.(
    table.serverAddress,
    at * 4,
    table.ports[at] & 0xffff,
    timeNs,
  ) ?? false;
}

function failureOf(
  facts: number,
  client: KernelEnd | undefined,
  server: KernelEnd | undefined,
  drops: Drops | undefined,
  reset: KernelReset | undefined,
  byIcmp: Outcome | undefined,
): Outcome {
  if ((facts & WireFact.ServerReset) !== 0 || client?.error === Errno.ECONNREFUSED) {
    return "refused";
  }
  if (client?.error === Errno.ETIMEDOUT) return "timeout";
  if (client && UNREACHABLE_ERRORS.has(client.error)) return "unreachable";
  if (client || (facts & WireFact.ClientReset) !== 0) return "aborted";
  // A SYN-ACK that was sent and dropped on this host is an answer all the same.
  const answered = (facts & BOTH_ANSWERED) !== 0 || drops?.serverIsn !== undefined;
  if (answered || server) return "half_open";
  if (byIcmp !== undefined) return byIcmp;
  if (reset && isSyn(reset) || drops && isRefusal(drops)) return "refused";
  return drops ? "dropped" : "unanswered";
}

/** What an ICMP error says that answers the SYN: only the server itself can refuse. */
function icmpOutcome(table: FlowTable, row: number): Outcome | undefined {
  const answer = table.icmp[row];
  if (answer === undefined) return undefined;
  const at = table.tupleAt(row) * 4;
  const isServer = answer.reporter.every((word, index) => word === table.serverAddress[at + index]);
  return isServer && isPortUnreachable(answer.symbol) ? "refused" : "unreachable";
}

/** The symbol that says why it failed: the client's own errno before what anybody else did. */
export function reasonOf(
  { outcome, icmp }: Handshake,
  client: KernelEnd | undefined,
  drops: Drops | undefined,
  reset: KernelReset | undefined,
): string | undefined {
  if (outcome === "established") return undefined;
  const errno = errnoName(client?.error ?? 0);
  if (errno !== undefined) return errno;
  if (outcome === "dropped") return drops?.reason;
  if (outcome === "unreachable") return icmp?.symbol;
  return outcome === "refused" ? reset?.reason ?? drops?.reason ?? icmp?.symbol : undefined;
}

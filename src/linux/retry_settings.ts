import { LINUX_RETRY_SETTINGS, type RetrySettings } from "../match/retry_waits.ts";

/** Linux's settings of TCP over IPv4; IPv6 has them here too. */
const FOLDER = "/proc/sys/net/ipv4/";

/**
 * How often this host repeats packets that are not answered, in the network namespace of this thread.
 * A setting that this kernel does not have is Linux's usual one.
 */
export function readRetrySettings(): RetrySettings {
  const usual = LINUX_RETRY_SETTINGS;
  return {
    synRetries: readNumber("tcp_syn_retries") ?? usual.synRetries,
    synAckRetries: readNumber("tcp_synack_retries") ?? usual.synAckRetries,
    rtoMaxMs: readNumber("tcp_rto_max_ms") ?? usual.rtoMaxMs,
  };
}

function readNumber(name: string): number | undefined {
  try {
    const text = Deno.readTextFileSync(FOLDER + name).trim();
    return /^\d+$/.test(text) ? Number(text) : undefined;
  } catch {
    return undefined;
  }
}

import { CaptureScope } from "../../linux/capture/capture_scope.ts";
import { UnknownTargetError } from "../../linux/netns/namespace_watch.ts";
import type { TraceOptions } from "./trace_options.ts";
import { UsageError } from "../usage.ts";

/**
 * Finds what is to be captured, for the commands that trace this host.
 *
 * @throws {UsageError} An interface or a network namespace is not there.
 */
export function openScope(
  { interfaces, awaitsInterfaces: awaits, namespaces }: Pick<
    TraceOptions,
    "interfaces" | "awaitsInterfaces" | "namespaces"
  >,
): CaptureScope {
  try {
    return new CaptureScope(interfaces, namespaces, { awaits });
  } catch (error) {
    throw error instanceof UnknownTargetError ? new UsageError(error.message) : error;
  }
}

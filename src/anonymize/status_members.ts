/**
 * Status lines of records, which somebody else may have written: what is known of them, with other names.
 *
 * @module
 */
import { parseTime } from "../text/time.ts";
import { AnonymousContext } from "./anonymous_context.ts";
import type { Pseudonyms } from "./pseudonyms.ts";

/** What hooks the kernel, and the name of a flag: words of this tool. */
const WORD = /^[a-z]{1,16}$/;
const FLAG = /^--[a-z-]{1,32}(?= |$)/;
/** Interfaces, and flags, that are told of one line. */
const ITEMS_MAX = 1_024;

type Members = Readonly<Record<string, unknown>>;

/**
 * Tells a status line with other names in it: of whom it is, since when, up to when, by which flags and with
 * which sources. What it holds beyond that is left out, and so is what cannot be what it should.
 *
 * @param members What it holds: untrusted.
 */
export function hideStatus(members: Members, names: Pseudonyms): Members {
  const { host, host_id, tracer, time, since, filters, sample, sources } = members;
  const context = new AnonymousContext({
    host: textOf(host) ?? "",
    hostId: textOf(host_id),
    tracer: textOf(tracer),
    interfaceName: () => undefined,
  }, names);
  return {
    time: timeOf(time),
    host: context.host,
    host_id: context.hostId,
    tracer: context.tracer,
    since: timeOf(since),
    filters: listOf(filters).map((text) => hideFlag(String(text))),
    sample: Number.isSafeInteger(sample) ? sample : undefined,
    sources: isObject(sources) ? hideSources(sources, context) : undefined,
  };
}

/** A flag without its value, which may be any text there. */
function hideFlag(text: string): string {
  const [flag = "--"] = FLAG.exec(text) ?? [];
  return flag === text ? flag : `${flag} ...`;
}

function hideSources({ wire, kernel }: Members, context: AnonymousContext): Members {
  return {
    wire: listOf(wire).filter(isObject).map(({ netns, up, interface: name }) => ({
      netns: Number.isSafeInteger(netns) ? netns : undefined,
      interface: typeof name === "string" ? context.interfaceOf(name) : undefined,
      up: up === true,
    })),
    kernel: typeof kernel === "string" && WORD.test(kernel) ? kernel : undefined,
  };
}

function timeOf(value: unknown): string | undefined {
  return typeof value === "string" && parseTime(value) !== undefined ? value : undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value.slice(0, ITEMS_MAX) : [];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

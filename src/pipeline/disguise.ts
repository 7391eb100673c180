import type { Handshake } from "../match/handshake.ts";
import type { RecordContext } from "../record/record_context.ts";
import type { Source } from "./sink.ts";

/** Which host this is, and which run of the tool. */
export type Identity = Pick<RecordContext, "host" | "hostId" | "tracer">;

/** Shows the sinks of a pipeline something else than what is: names and addresses that others may see. */
export interface Disguise {
  /** The source as the sinks are to see it. */
  source(source: Source): Source;
  /** A handshake as the sinks are to see it; the one given stays as it is. */
  handshake(handshake: Handshake): Handshake;
  /**
   * A line of records that is no handshake, as the sinks are to see it; undefined: they are not.
   *
   * @param members What it holds: untrusted.
   */
  event(
    event: string,
    members: Readonly<Record<string, unknown>>,
  ): Readonly<Record<string, unknown>> | undefined;
  /** Who traces, as who sees what the sinks see is to be told elsewhere: in names of files, to a collector. */
  identity(identity: Identity): Identity;
}

import type { Handshake } from "../match/handshake.ts";
import type { Source } from "./sink.ts";

/** Shows the sinks of a pipeline something else than what is: names and addresses that others may see. */
export interface Disguise {
  /** The source as the sinks are to see it. */
  source(source: Source): Source;
  /** A handshake as the sinks are to see it; the one given stays as it is. */
  handshake(handshake: Handshake): Handshake;
  /** What stands for a host in names of files: 32 hexadecimal digits for its id, or its name. */
  host(nameOrId: string): string;
}

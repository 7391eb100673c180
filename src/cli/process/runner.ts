/**
 * The npm that started this process: it hands no signal on and leaves what it started behind when it
 * is ended alone.
 *
 * @module
 */
import { environmentVariable } from "../../linux/environment.ts";
import { isNarrowed } from "../../linux/narrow.ts";
import { type ProcessState, readProcessState } from "../../linux/process_state.ts";

/** Between npm and this process are a shell and `deno task`. */
const DEPTH_MAX = 8;
const LOOK_MS = 1_000;

/** The processes above one, the nearest first, up to where they cannot be seen. */
function* ancestors(pid: number): Generator<ProcessState> {
  for (let depth = 0, at = pid; depth < DEPTH_MAX && at > 0; depth++) {
    const stat = readProcessState(at);
    if (stat === undefined) return;
    yield stat;
    at = stat.parentPid;
  }
}

/**
 * Looks once a second whether npm still runs, where this process was started by it.
 *
 * @param onGone Called once when it has ended. @param lookMs How often to look.
 */
export function watchRunner(onGone: () => void, lookMs = LOOK_MS): void {
  // npm says so to all that it starts; what runs below without it is none of its.
  const variable = "npm_command";
  if (Deno.permissions.querySync({ name: "env", variable }).state !== "granted") return;
  if (environmentVariable(variable) === undefined) return;
  const npm = [...ancestors(Deno.ppid)].find(({ comm }) => comm.startsWith("npm "));
  if (npm === undefined) return;
  const timer = setInterval(() => {
    // Nothing can be seen of it any more.
    if (isNarrowed()) return clearInterval(timer);
    const now = readProcessState(npm.pid);
    if (now?.startTicks === npm.startTicks && now.letter !== "Z") return;
    clearInterval(timer);
    onGone();
  }, lookMs);
  Deno.unrefTimer(timer);
}

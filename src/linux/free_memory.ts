/**
 * Memory of this process that it no longer needs: handed back to the kernel.
 *
 * @module
 */
import { libc } from "./libc.ts";

/** `M_TRIM_THRESHOLD` of glibc (malloc.h). */
const M_TRIM_THRESHOLD = -1;
/** What it is by default, as long as nothing large was freed. */
const TRIM_THRESHOLD_BYTES = 128 * 1024;

/** What V8 puts there with `--expose-gc`. */
interface Collecting {
  gc?(options: { type: "major"; flavor: "last-resort" }): void;
}

/** After it is ready, what a trace began is done, and what only its start needed is garbage. */
const STARTED_MS = 1_000;

/**
 * Has the C library hand back what is free at the end of one of its arenas, from 128 KiB on (mallopt(3)).
 * By itself it raises that bound to twice the largest piece that was ever freed, and keeps megabytes in
 * which V8's threads compiled. musl has no such bound.
 */
export function handBackFreed(): void {
  libc().mallopt?.(M_TRIM_THRESHOLD, TRIM_THRESHOLD_BYTES);
}

/**
 * Collects all garbage a second from now, once, and hands back what it took. That holds up everything for
 * some 50 ms. Does nothing where V8 was not started with `--expose-gc`.
 */
export function collectOnceStarted(): void {
  // Another flavour leaves the young generation as large as it came to be, and pages half full.
  const collect = () => (globalThis as Collecting).gc?.({ type: "major", flavor: "last-resort" });
  Deno.unrefTimer(setTimeout(collect, STARTED_MS));
}

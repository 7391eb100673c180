/**
 * Errors that nobody caught, in a timer, a listener or a promise: they go to who can end in good order.
 *
 * @module
 */

/** Takes an error. @returns Whether it was the taker's. */
type Claim = (error: unknown) => boolean;

const claims = new Set<Claim>();
let handle: ((error: unknown) => void) | undefined;
let isListening = false;

/** Asks for all of them from now on, in place of who did before. None of them ends the process. */
export function onUnforeseen(handler: (error: unknown) => void): void {
  handle = handler;
  listen();
}

/** Asks for those that are the caller's own, until disposed. */
export function claimErrors(claim: Claim): Disposable {
  claims.add(claim);
  listen();
  return { [Symbol.dispose]: () => claims.delete(claim) };
}

function listen(): void {
  if (isListening) return;
  isListening = true;
  globalThis.addEventListener("error", (event) => {
    if (isTaken(event.error ?? event.message)) event.preventDefault();
  });
  globalThis.addEventListener("unhandledrejection", (event) => {
    if (isTaken(event.reason)) event.preventDefault();
  });
}

function isTaken(error: unknown): boolean {
  if ([...claims].some((claim) => claim(error))) return true;
  handle?.(error);
  return handle !== undefined;
}

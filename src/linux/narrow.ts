/**
 * Giving up what Deno permits, before bytes of strangers are read.
 *
 * @module
 */

/**
 * What is given up. Reading stays, for files that follow and parts of the tool that are loaded when they
 * are needed; so do variables of the environment and the host's name. Deno gives up reading whole or not
 * at all.
 */
const GIVEN_UP = ["ffi", "run", "net", "write", "import"] as const;

let narrowed = false;

/**
 * Gives up calling the C library, starting programs, the network, and writing to files that are not open:
 * for good, in the whole process. Deno then also refuses what is below /proc, /sys and /dev, whatever it
 * permits beside: what is to be known of that is asked before.
 */
export function narrow(): void {
  for (const name of GIVEN_UP) Deno.permissions.revokeSync({ name });
  narrowed = true;
}

/** The same, but for the network. */
export function narrowToNetwork(): void {
  for (const name of GIVEN_UP) if (name !== "net") Deno.permissions.revokeSync({ name });
  narrowed = true;
}

/** Whether {@link narrow} was called. */
export function isNarrowed(): boolean {
  return narrowed;
}

/** Whether Deno opens a path without all permissions: one that names nothing of the kernel's. */
export function isOrdinary(path: string): boolean {
  return !/^\/(?:dev|proc|sys)\//.test(path);
}

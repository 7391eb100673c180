/** What the runtime puts in the place of bytes that are no UTF-8, such as in an argument. */
export const NO_UTF8 = "\ufffd";

const OF_PROCESS = "/proc/self/environ";

/**
 * The value of an environment variable, in which {@linkcode NO_UTF8} stands for what is no UTF-8: there Deno throws,
 * though one odd folder in PATH is no reason not to look into the others.
 *
 * @returns Undefined where it is not set, or where Deno may not tell.
 */
export function environmentVariable(name: string): string | undefined {
  try {
    return Deno.env.get(name);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return undefined;
    if (!(error instanceof Deno.errors.InvalidData)) throw error;
  }
  const head = `${name}=`;
  return readOfProcess().find((variable) => variable.startsWith(head))?.slice(head.length);
}

function readOfProcess(): string[] {
  try {
    return Deno.readTextFileSync(OF_PROCESS).split("\0");
  } catch {
    return [];
  }
}

/**
 * Ports for servers that are told theirs before they begin.
 *
 * @module
 */

/** The lowest port that is asked for here. */
const LOWEST = 10_000;

/**
 * Ports of 127.0.0.1 that nobody has. Below those that the kernel gives to whoever asks for none
 * (`ip_local_port_range`): until its server has one, and while that is away, nobody is given it.
 */
export function freePorts(count: number): number[] {
  const range = Deno.readTextFileSync("/proc/sys/net/ipv4/ip_local_port_range");
  const end = Math.max(Number.parseInt(range), LOWEST + 1_000);
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = LOWEST + Math.floor(Math.random() * (end - LOWEST));
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      ports.add(port);
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
  return [...ports];
}

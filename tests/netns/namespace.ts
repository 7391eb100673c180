/**
 * Network namespaces for tests: everything that sends or captures a packet does so in one of its own,
 * never on the machine's interfaces. Needs root and iproute2.
 *
 * @module
 */
import { checkResult, cString, libc } from "../../src/linux/libc.ts";
import { messageOf } from "../../src/text/message.ts";

const CLONE_NEWNET = 0x40000000;
const O_CLOEXEC = 0o2000000;

/** Of the names that this process gives. */
const RUN = `${Deno.pid}-${crypto.randomUUID().slice(0, 4)}`;
let made = 0;

/** Runs `command` to its end and returns what it wrote to stdout. Throws when it fails. */
async function output(command: readonly string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command[0], {
    args: command.slice(1),
    stdin: "null",
  }).output();
  if (!success) {
    throw new Error(`Cannot run "${command.join(" ")}": ${new TextDecoder().decode(stderr)}`);
  }
  return new TextDecoder().decode(stdout);
}

/** A network namespace with loopback up, deleted when disposed with the processes started in it. */
export class Namespace implements AsyncDisposable {
  /** The name under /run/netns: no other's, even of a test that was killed and had the same process id. */
  readonly name: string;
  readonly #children: Deno.ChildProcess[] = [];
  #interfaces = 0;

  private constructor(name: string) {
    this.name = name;
  }

  /** Makes a namespace: `await using namespace = await Namespace.create()`. */
  static async create(): Promise<Namespace> {
    const namespace = new Namespace(`synsnoop-${RUN}-${++made}`);
    await output(["ip", "netns", "add", namespace.name]);
    try {
      await namespace.ip("link", "set", "lo", "up");
      // For the second or two in which an interface looks whether another has its link-local address,
      // a router asks for no neighbor: what it forwards waits, and a handshake with it.
      await namespace.run("sh", "-c", "echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad");
    } catch (error) {
      await namespace[Symbol.asyncDispose]();
      throw error;
    }
    return namespace;
  }

  /** Runs `ip ARGUMENTS` on this namespace. */
  ip(...args: string[]): Promise<string> {
    return output(["ip", "-n", this.name, ...args]);
  }

  /** Runs a command inside to its end and returns its stdout. Throws when it fails. */
  run(...command: string[]): Promise<string> {
    return output(["ip", "netns", "exec", this.name, ...command]);
  }

  /** Runs a TypeScript module's text inside, with every permission, and returns its stdout. */
  script(text: string): Promise<string> {
    return this.run(Deno.execPath(), "eval", "--quiet", "--no-config", text);
  }

  /** Connects to a port of its loopback where nobody listens, so many times. */
  async refuse(port: number, count = 1): Promise<void> {
    await this.run(
      "python3",
      "-c",
      `import socket
for _ in range(${count}):
    one = socket.socket()
    one.connect_ex(("127.0.0.1", ${port}))
    one.close()`,
    );
  }

  /** Starts a command inside; it is killed at the latest when the namespace is disposed. */
  spawn(command: readonly string[], options: Deno.CommandOptions = {}): Deno.ChildProcess {
    const args = ["netns", "exec", this.name, ...command];
    const child = new Deno.Command("ip", { stdin: "null", ...options, args }).spawn();
    this.#children.push(child);
    return child;
  }

  /**
   * Lays a virtual Ethernet cable to `other` and brings both ends up. The ends are called `veth0`,
   * `veth1`, … in the order of each namespace's cables, and given the addresses, if any.
   *
   * @returns the interface names here and there.
   */
  async connect(
    other: Namespace,
    addresses?: { here: string; there: string },
  ): Promise<[here: string, there: string]> {
    const here = `veth${this.#interfaces++}`;
    const there = `veth${other.#interfaces++}`;
    await this.ip(
      ...["link", "add", here, "type", "veth"],
      ...["peer", "name", there, "netns", other.name],
    );
    for (
      const [namespace, name, address] of [
        [this, here, addresses?.here],
        [other, there, addresses?.there],
      ] as const
    ) {
      // Without duplicate address detection an IPv6 address works at once.
      if (address !== undefined) {
        await namespace.ip("address", "add", address, "dev", name, "nodad");
      }
      await namespace.ip("link", "set", name, "up");
    }
    if (addresses !== undefined) {
      // The kernel notices the carrier up to a second late, and what is sent before is lost.
      await until(
        "both ends of the cable are up",
        async () => await isUp(this, here) && await isUp(other, there),
      );
    }
    return [here, there];
  }

  /** Ends what runs inside and deletes the namespace. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) {
      try {
        child.kill("SIGKILL");
      } catch (error) {
        // Ended already.
        if (!(error instanceof TypeError)) throw error;
      }
      await child.status;
    }
    await output(["ip", "netns", "delete", this.name]);
  }
}

/** Whether an interface has its carrier and its link-local address. */
async function isUp(namespace: Namespace, name: string): Promise<boolean> {
  const shown = await namespace.ip("address", "show", name);
  return shown.includes("state UP") && shown.includes("inet6 fe80::") &&
    !shown.includes("tentative");
}

/**
 * Runs `operation` with this thread inside a namespace. It must be synchronous: whatever it awaits would
 * go on outside. Sockets and rings it opens stay inside.
 */
export function inNamespace<T>(name: string, operation: () => T): T {
  const outside = open("/proc/thread-self/ns/net");
  try {
    const inside = open(`/run/netns/${name}`);
    try {
      checkResult(libc().setns(inside, CLONE_NEWNET), `setns(${name})`);
    } finally {
      libc().close(inside);
    }
    try {
      return operation();
    } finally {
      checkResult(libc().setns(outside, CLONE_NEWNET), "setns(outside)");
    }
  } finally {
    libc().close(outside);
  }
}

function open(path: string): number {
  return checkResult(libc().open(cString(path), O_CLOEXEC), `open(${path})`);
}

let namespacesRefused: Promise<string | undefined> | undefined;

/** Why no namespace can be made here; `undefined` when one can. Tried once. */
export function reasonAgainstNamespaces(): Promise<string | undefined> {
  return namespacesRefused ??= (async () => {
    try {
      await using _namespace = await Namespace.create();
      return undefined;
    } catch (error) {
      return messageOf(error).trim().split("\n")[0];
    }
  })();
}

/** Whether a namespace can be made here. */
export async function canMakeNamespaces(): Promise<boolean> {
  return await reasonAgainstNamespaces() === undefined;
}

/** Registers a test that needs namespaces; where none can be made, an ignored one that says why. */
export async function namespaceTest(
  name: string,
  body: (context: Deno.TestContext) => Promise<void>,
): Promise<void> {
  skippableTest(name, await reasonAgainstNamespaces(), body);
}

/** Registers a test, ignored with the reason in its name when there is one. */
export function skippableTest(
  name: string,
  skipReason: string | undefined,
  body: (context: Deno.TestContext) => void | Promise<void>,
): void {
  if (skipReason === undefined) Deno.test(name, body);
  else Deno.test({ name: `${name} — skipped: ${skipReason}`, ignore: true, fn: body });
}

/**
 * Waits until `condition` holds, asking it every 2 ms at first and the more seldom the longer it takes.
 * For what sends no signal of its own: a ring to be drained, a counter, a file.
 *
 * @throws {Error} when it does not hold before the deadline, naming what was awaited.
 */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  deadlineMs = 60_000,
): Promise<void> {
  const began = performance.now();
  while (!await condition()) {
    const elapsedMs = performance.now() - began;
    if (elapsedMs > deadlineMs) {
      throw new Error(`Cannot go on: ${what} did not happen within ${deadlineMs} ms`);
    }
    await new Promise((resolve) => setTimeout(resolve, Math.min(2 + elapsedMs / 20, 50)));
  }
}

/**
 * Synthetic frames over a cable between two namespaces.
 *
 * @module
 */
import { Namespace } from "../netns/namespace.ts";
import type { Bench } from "./row.ts";

/** Two namespaces and the cable between them. */
export interface Cable extends AsyncDisposable {
  sender: Namespace;
  receiver: Namespace;
  senderEnd: string;
  receiverEnd: string;
  /** Sends and waits until all is sent. @returns How many a second. */
  send(rate: number, count: number, ...what: string[]): Promise<number>;
}

/** Lays the cable. */
export async function layCable(
  bench: Bench,
  addresses?: { here: string; there: string },
): Promise<Cable> {
  const load = await bench.program("packet_load.c");
  await using stack = new AsyncDisposableStack();
  const sender = stack.use(await Namespace.create());
  const receiver = stack.use(await Namespace.create());
  const [senderEnd, receiverEnd] = await sender.connect(receiver, addresses);
  const cleanup = stack.move();
  return {
    sender,
    receiver,
    senderEnd,
    receiverEnd,
    send: async (rate, count, ...what) => {
      const text = await sender.run(load, senderEnd, String(rate), String(count), ...what);
      const [sent, elapsedNs] = text.trim().split(" ").map(Number);
      return sent / (elapsedNs / 1e9);
    },
    [Symbol.asyncDispose]: () => cleanup.disposeAsync(),
  };
}

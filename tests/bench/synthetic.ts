/**
 * Synthetic frames over a cable between two namespaces.
 *
 * @module
 */
import { Namespace } from "../netns/namespace.ts";
import type { Bench } from "./row.ts";

/** What was sent. */
export interface Sent {
  count: number;
  perSecond: number;
}

/** Two namespaces and the cable between them. */
export interface Cable extends AsyncDisposable {
  sender: Namespace;
  receiver: Namespace;
  senderEnd: string;
  receiverEnd: string;
  /**
   * Sends and waits until all is sent.
   *
   * @param rate A second, or 0: as fast as it can.
   * @param amount How many, or seconds as `"10s"`: as many as there is time for.
   */
  send(rate: number, amount: number | `${number}s`, ...what: string[]): Promise<Sent>;
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
    send: async (rate, amount, ...what) => {
      const text = await sender.run(load, senderEnd, String(rate), String(amount), ...what);
      const [count, elapsedNs] = text.trim().split(" ").map(Number);
      return { count, perSecond: count / (elapsedNs / 1e9) };
    },
    [Symbol.asyncDispose]: () => cleanup.disposeAsync(),
  };
}

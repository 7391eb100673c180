import { assertEquals } from "@std/assert";
import { Pusher } from "../../../src/http/pusher.ts";

Deno.test("Pusher says once that what it pushes cannot be made, and goes on", async () => {
  const notes: string[] = [];
  let asked = 0;
  const again = Promise.withResolvers<void>();
  const pusher = new Pusher({
    // Without the permission to use the network nothing is sent.
    url: "http://user:secret@192.0.2.1/v1/metrics?key=secret",
    headers: {},
    intervalMs: 5,
    make: () => {
      if (++asked === 3) again.resolve();
      throw new Error("out of luck");
    },
    onNote: (sentence) => notes.push(sentence),
  });
  await again.promise;
  await pusher.close(10);
  assertEquals(notes, [
    "Cannot push metrics to http://192.0.2.1/v1/metrics: out of luck; " +
    "what is counted until then comes with the next push that works",
    "Cannot push the last metrics to http://192.0.2.1/v1/metrics: out of luck",
  ]);
});

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { copyHandshake } from "../../../src/match/copy_handshake.ts";
import type { Handshake } from "../../../src/match/handshake.ts";
import { anyHandshake } from "../record/arbitrary_handshake.ts";

/** All that it holds, whatever class it is of. */
function valuesOf(handshake: Handshake): unknown {
  return structuredClone({ ...handshake });
}

Deno.test("copyHandshake copies everything, and what is filled anew then is not in the copy", () => {
  fc.assert(fc.property(anyHandshake(), anyHandshake(), (handshake, next) => {
    const values = valuesOf(handshake);
    const copy = copyHandshake(handshake);
    // As the matcher does: what never is another object is filled, the rest replaced.
    const { client, server, interfaces, flags, ...rest } = next;
    Object.assign(handshake, rest);
    for (const [into, from] of [[handshake.client, client], [handshake.server, server]] as const) {
      const { address, ...others } = from;
      into.address.set(address);
      Object.assign(into, others);
    }
    handshake.interfaces.splice(0, Infinity, ...interfaces);
    handshake.flags.splice(0, Infinity, ...flags);
    assertEquals(valuesOf(copy), values);
  }));
});

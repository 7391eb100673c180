import { assertEquals } from "@std/assert";
import { setUp } from "../../../src/setup/set_up.ts";
import { TRACE_NEEDS } from "../../../src/setup/trace_needs.ts";
import { fakeMachine } from "./fake_machine.ts";

Deno.test("setUp tells whether all is there in the end", async () => {
  assertEquals(await setUp(TRACE_NEEDS, fakeMachine([]).machine), true);
  assertEquals(await setUp(TRACE_NEEDS, fakeMachine(["bpftrace"]).machine), true);
  const { machine } = fakeMachine(["bpftrace"], { run: () => Promise.resolve(false) });
  assertEquals(await setUp(TRACE_NEEDS, machine), false);
});

Deno.test("setUp runs nothing that it may not", async () => {
  for (const changes of [{ forbidden: true }, { root: false }, { hasExecutable: () => false }]) {
    const { machine, ran, said } = fakeMachine(["bpftrace"], changes);
    assertEquals([await setUp(TRACE_NEEDS, machine), ran, said.length], [false, [], 1]);
  }
});

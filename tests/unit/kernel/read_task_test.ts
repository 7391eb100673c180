import { assertEquals } from "@std/assert";
import { readTask } from "../../../src/kernel/read_task.ts";
import { ascii, buildBytes, CLIENT } from "./build_record.ts";

const PROCESS = { pid: 4711, comm: "curl", thread: undefined, isKernel: false };

Deno.test("readTask tells a thread from its process, and a thread of the kernel", () => {
  const pool = { tid: 4712, threadComm: ascii("pool-1") };
  const cases = [
    { raw: {}, expected: PROCESS },
    { raw: pool, expected: { ...PROCESS, thread: { tid: 4712, comm: "pool-1" } } },
    // What was left in the bytes means nothing without a thread.
    { raw: { ...pool, tid: 0 }, expected: PROCESS },
    { raw: { tid: 4712 }, expected: { ...PROCESS, thread: { tid: 4712 } } },
    { raw: { task: 1 }, expected: { ...PROCESS, isKernel: true } },
    { raw: { task: 3 }, expected: { ...PROCESS, pid: 0, comm: "" } },
    { raw: { pid: 0, ...pool }, expected: { ...PROCESS, pid: 0, comm: "" } },
  ];
  for (const { raw, expected } of cases) {
    const { value } = buildBytes({ ...CLIENT, ...raw });
    const values = new Uint8Array(8 + value.length);
    values.set(value, 8);
    assertEquals(readTask(new DataView(values.buffer), 8), expected);
  }
});

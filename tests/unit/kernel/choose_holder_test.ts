import { assertEquals } from "@std/assert";
import { chooseHolder, type Holder } from "../../../src/kernel/choose_holder.ts";

/** A process and its ancestors, its parent first. */
function holder(pid: number, ancestors: number[], rest: Partial<Holder> = {}): Holder {
  const usual = { program: "/usr/sbin/nginx", isInit: false, isActivated: false };
  return { pid, ancestors, ...usual, ...rest };
}

Deno.test("chooseHolder names the process that serves, and nobody where that cannot be told", () => {
  const systemd = holder(1, [], { program: "/usr/lib/systemd/systemd", isInit: true });
  const master = holder(10, [1]);
  const workers = [holder(11, [10, 1]), holder(12, [10, 1])];
  const grandchild = holder(13, [12, 10, 1]);
  const helper = holder(14, [10, 1], { program: "/bin/sh" });
  const hidden = { program: undefined };
  const cases: { name: string; holders: Holder[]; expected: number | undefined }[] = [
    { name: "nobody", holders: [], expected: undefined },
    { name: "one", holders: [holder(20, [1])], expected: 20 },
    { name: "one that cannot be seen", holders: [holder(20, [], hidden)], expected: 20 },
    { name: "init alone", holders: [systemd], expected: 1 },
    { name: "a server that forks", holders: [master, ...workers, grandchild], expected: 10 },
    { name: "workers whose parent is gone", holders: workers, expected: undefined },
    {
      name: "a worker that forks, its parent gone",
      holders: [workers[1], grandchild],
      expected: 12,
    },
    { name: "strangers: handed over", holders: [master, holder(30, [1])], expected: undefined },
    { name: "a child with another program", holders: [master, helper], expected: undefined },
    {
      name: "programs that cannot be seen",
      holders: [holder(10, [1], hidden), holder(11, [10, 1], hidden)],
      expected: undefined,
    },
    { name: "a service of systemd", holders: [systemd, master], expected: 10 },
    { name: "a service that forks", holders: [systemd, master, ...workers], expected: 10 },
    {
      name: "two services",
      holders: [systemd, master, holder(30, [1], { program: "/usr/sbin/httpd" })],
      expected: undefined,
    },
    {
      name: "a server that is its container's first process",
      holders: [holder(50, [40, 1], { isInit: true }), holder(51, [50, 40, 1])],
      expected: 50,
    },
    {
      name: "a service of a user's own manager",
      holders: [
        holder(60, [1], { program: "/usr/lib/systemd/systemd" }),
        holder(61, [60, 1], { isActivated: true }),
        holder(62, [61, 60, 1]),
      ],
      expected: 61,
    },
    {
      name: "two that were handed it when they began",
      holders: [
        holder(61, [60, 1], { isActivated: true }),
        holder(63, [60, 1], { isActivated: true }),
      ],
      expected: undefined,
    },
  ];
  for (const { name, holders, expected } of cases) {
    for (const order of [holders, holders.toReversed()]) {
      assertEquals(chooseHolder(order)?.pid, expected, name);
    }
  }
});

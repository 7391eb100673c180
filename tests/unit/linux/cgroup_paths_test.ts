import { assertEquals } from "@std/assert";
import { findCgroupMount, pathInHierarchy } from "../../../src/linux/cgroup_paths.ts";

const V1 = "31 24 0:27 / /sys/fs/cgroup/memory rw,nosuid - cgroup cgroup rw,memory\n";
const V2 = "30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:4 master:1 - cgroup2 cgroup2 rw\n";

Deno.test("findCgroupMount finds the mount that shows most of the hierarchy", () => {
  const cases: { mounts: string; expected: ReturnType<typeof findCgroupMount> }[] = [
    { mounts: "", expected: undefined },
    { mounts: V1, expected: undefined },
    { mounts: V1 + V2, expected: { point: "/sys/fs/cgroup", root: "/" } },
    // Hybrid: the same hierarchy elsewhere; and a path with a blank, which is written in octal.
    {
      mounts: "9 8 0:26 / /mnt/c\\040g rw - cgroup2 none rw\n" + V1,
      expected: { point: "/mnt/c g", root: "/" },
    },
    {
      mounts: "9 8 0:26 /a.slice /mnt/a rw - cgroup2 none rw\n" + V2,
      expected: { point: "/sys/fs/cgroup", root: "/" },
    },
    {
      mounts: "9 8 0:26 /a.slice /mnt/a rw - cgroup2 none rw\n",
      expected: { point: "/mnt/a", root: "/a.slice" },
    },
    // Mounted from outside of this process's cgroup namespace.
    { mounts: "9 8 0:26 /../.. /mnt/a rw - cgroup2 none rw\n", expected: undefined },
    { mounts: "broken\n - cgroup2\n9 8\n", expected: undefined },
    // A file system that says it in its name or options is none.
    { mounts: "9 8 0:5 / /mnt/b rw - tmpfs cgroup2 rw\n", expected: undefined },
  ];
  for (const { mounts, expected } of cases) assertEquals(findCgroupMount(mounts), expected, mounts);
});

Deno.test("pathInHierarchy cuts off the mount point and adds what is above it", () => {
  const whole = { point: "/sys/fs/cgroup", root: "/" };
  const part = { point: "/mnt/a", root: "/a.slice" };
  const cases: [folder: string, mount: typeof whole, expected: string | undefined][] = [
    ["/sys/fs/cgroup", whole, "/"],
    ["/sys/fs/cgroup/system.slice/ssh.service", whole, "/system.slice/ssh.service"],
    ["/sys/fs/cgroupies/x", whole, undefined],
    ["/", whole, undefined],
    ["/sys/fs/cgroup/gone.scope (deleted)", whole, undefined],
    ["/mnt/a", part, "/a.slice"],
    ["/mnt/a/b.scope", part, "/a.slice/b.scope"],
  ];
  for (const [folder, mount, expected] of cases) {
    assertEquals(pathInHierarchy(folder, mount), expected, folder);
  }
});

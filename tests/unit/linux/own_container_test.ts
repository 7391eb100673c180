import { assertEquals } from "@std/assert";
import { ownContainer } from "../../../src/linux/own_container.ts";

const ID = "0123456789abcdef".repeat(4);
const MOUNT =
  `610 588 0:5 /var/lib/docker/containers/${ID}/hostname /etc/hostname rw - ext4 /dev/sda rw`;

for (
  const [what, files, expected] of [
    ["no container", { cgroup: "0::/system.slice/synsnoop.service\n" }, undefined],
    ["its cgroup", { cgroup: `12:cpu:/x\n0::/system.slice/docker-${ID}.scope\n` }, ID],
    ["what is mounted", { cgroup: "0::/\n", mountinfo: `${MOUNT}\n` }, ID],
    ["nothing that can be read", {}, undefined],
  ] as const
) {
  Deno.test(`ownContainer goes by ${what}`, () => {
    const container = ownContainer((name) => (files as Record<string, string>)[name] ?? "");
    assertEquals(container?.id, expected);
  });
}

import process from "node:process";
import { assertEquals, assertLess } from "@std/assert";
import fc from "fast-check";
import { containerOf, readContainerName, readPodLogName } from "../../../src/kernel/container.ts";

const ID = "0b1946284646fb98bcafae3a5e2d7f7ac1a06a15d3a5e7e9d2a2c8a5f0f8a5d1";
const OTHER = "f1".repeat(32);
const POD = "kubepods-burstable-podac04f3f2_1f2c_11e9_b015_1ebee232acfa.slice";
const SLICES = `/kubepods.slice/kubepods-burstable.slice/${POD}`;

const OF_CONTAINERS: readonly {
  path: string;
  id?: string;
  name?: string;
  isOfUser?: true;
  uid?: number;
}[] = [
  // Docker, with systemd's driver, with the cgroupfs driver, with a parent of one's own, and on ECS.
  { path: `/system.slice/docker-${ID}.scope`, id: ID },
  { path: `/system.slice/docker-${ID}.scope/init.scope`, id: ID },
  { path: `/system.slice/docker-${ID}.scope/system.slice/nginx.service`, id: ID },
  { path: `/docker/${ID}`, id: ID },
  { path: `/docker/${ID}/init`, id: ID },
  { path: `/batch/nightly/${ID}`, id: ID },
  { path: `/ecs/3f2b1c0d9e8f7a6b5c4d3e2f1a0b9c8d/${ID}`, id: ID },
  { path: `/ecstasks.slice/ecstasks-3f2b.slice/docker-${ID}.scope`, id: ID },
  // Docker in Docker: what this host's Docker made.
  { path: `/docker/${ID}/docker/${OTHER}`, id: ID },
  { path: `/system.slice/docker-${ID}.scope/kubelet.slice/cri-containerd-${OTHER}.scope`, id: ID },
  // containerd under kubelet, under kubelet with mixed drivers, by nerdctl and by crictl.
  { path: `${SLICES}/cri-containerd-${ID}.scope`, id: ID },
  { path: `/kubepods/besteffort/podac04f3f2-1f2c-11e9-b015-1ebee232acfa/${ID}`, id: ID },
  { path: `/kubepods/podac04f3f2-1f2c-11e9-b015-1ebee232acfa/${ID}`, id: ID },
  { path: `/system.slice/containerd.service/${POD}:cri-containerd:${ID}`, id: ID },
  { path: `/system.slice/nerdctl-${ID}.scope`, id: ID },
  { path: `/k8s.io/${ID}`, id: ID },
  // CRI-O, and Docker under kubelet.
  { path: `${SLICES}/crio-${ID}.scope`, id: ID },
  { path: `${SLICES}/crio-${ID}.scope/container`, id: ID },
  { path: `/kubepods/burstable/podac04f3f2-1f2c-11e9-b015-1ebee232acfa/crio-${ID}`, id: ID },
  { path: `${SLICES}/docker-${ID}.scope`, id: ID },
  // Podman: in a pod, by a unit, rootless.
  { path: `/machine.slice/libpod-${ID}.scope`, id: ID },
  { path: `/machine.slice/libpod-${ID}.scope/container`, id: ID },
  { path: `/machine.slice/machine-libpod_pod_${OTHER}.slice/libpod-${ID}.scope/container`, id: ID },
  { path: `/libpod_parent/libpod-${ID}`, id: ID },
  { path: `/system.slice/web.service/libpod-payload-${ID}`, id: ID },
  {
    path: `/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-${ID}.scope/container`,
    id: ID,
    isOfUser: true,
    uid: 1000,
  },
  // systemd-nspawn, by hand and by a unit.
  { path: "/machine.slice/machine-web.scope", name: "web" },
  { path: "/machine.slice/machine-web.scope/payload/system.slice/ssh.service", name: "web" },
  { path: "/machine.slice/machine-my\\x2dweb\\x2d1.scope/payload", name: "my-web-1" },
  { path: "/machine.slice/machine-b\\xc3\\xa4r.scope", name: "bär" },
  { path: "/machine.slice/machine-a\\xffb.scope", name: "a\ufffdb" },
  { path: "/machine.slice/systemd-nspawn@web.service/payload/init.scope", name: "web" },
  { path: "/machine.slice/machine-lxc\\x2d4711\\x2dweb.scope", name: "lxc-4711-web" },
  // LXC, LXD and Incus, Proxmox.
  { path: "/lxc.payload.web", name: "web" },
  { path: "/lxc.payload.web.example/system.slice/ssh.service", name: "web.example" },
  { path: "/lxc.payload/web/init.scope", name: "web" },
  { path: "/lxc/101/ns/system.slice/docker.service", name: "101" },
  { path: `/lxc/101/ns/docker/${ID}`, name: "101" },
];

const OF_NONE = [
  "",
  "/",
  "/init.scope",
  "/system.slice/ssh.service",
  "/system.slice/docker.service",
  "/system.slice/docker.socket",
  "/system.slice/containerd.service",
  "/user.slice/user-1000.slice/session-3.scope",
  "/docker",
  "/docker/buildkit/ygrz0y4qkk2cqyhpqndbx3z3v",
  // What watches over a container is outside of it.
  `/machine.slice/libpod-conmon-${ID}.scope`,
  `${SLICES}/crio-conmon-${ID}.scope`,
  "/libpod_parent/conmon",
  "/lxc.monitor.web",
  "/machine.slice/machine-web.scope/supervisor",
  "/machine.slice/systemd-nspawn@web.service/supervisor",
  // A pod and its files are no container, nor is a virtual machine.
  SLICES,
  `/system.slice/var-lib-docker-containers-${ID}-mounts-shm.mount`,
  "/machine.slice/machine-qemu\\x2d1\\x2dweb.scope",
  // No id: too short, too long, capitals, another word.
  `/docker/${ID.slice(1)}`,
  `/docker/${ID}0`,
  `/docker/${ID.toUpperCase()}`,
  `/system.slice/backup-${ID}.scope`,
  `/system.slice/docker-${ID}.service`,
  // Names that are none.
  "/lxc.payload.",
  "/lxc/",
  "/machine.slice/machine-.scope",
  "/system.slice/lxc/web",
  `/lxc.payload.${"x".repeat(256)}`,
];

Deno.test("containerOf reads the paths that runtimes make", () => {
  for (const { path, isOfUser = false, ...container } of OF_CONTAINERS) {
    assertEquals(containerOf(path), { ...container, isOfUser }, path);
  }
});

Deno.test("containerOf takes nothing else for a container", () => {
  for (const path of OF_NONE) assertEquals(containerOf(path), undefined, path);
});

Deno.test("containerOf takes any text, and soon", () => {
  const part = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom(ID, "docker-", ".scope", "machine-", "\\x", "\\xff", "lxc.payload.", "/", ":"),
  );
  fc.assert(fc.property(fc.array(part), (parts) => {
    const container = containerOf("/" + parts.join(""));
    if (container?.id !== undefined) assertEquals(/^[0-9a-f]{64}$/.test(container.id), true);
    if (container?.name !== undefined) assertEquals(container.name.length <= 255, true);
  }));
  const began = process.cpuUsage();
  for (const part of ["a:", "docker-", "machine-", `${ID}:`, "\\x2d"]) {
    containerOf(`/${part.repeat(1_000)}`);
  }
  // What this process took: a busy machine may have it wait as long as it likes.
  assertLess(process.cpuUsage(began).user, 1e6);
});

Deno.test("readContainerName reads what runtimes keep", () => {
  const uid = "9f5d4c3b-1f2c-11e9-b015-1ebee232acfa";
  const cases: readonly [kept: unknown, name: string | undefined][] = [
    ["/web", "web"],
    ["web", "web"],
    [`/k8s_nginx_web-7d4b9c_shop_${uid}_0`, "shop/web-7d4b9c/nginx"],
    [`k8s_POD_web-7d4b9c_shop_${uid}_12`, "shop/web-7d4b9c/POD"],
    ["/k8s_my_own_name", "k8s_my_own_name"],
    ["\x1b[2J", "\x1b[2J"],
    ["/", undefined],
    ["", undefined],
    ["x".repeat(256), undefined],
    [undefined, undefined],
    [7, undefined],
    [["web"], undefined],
  ];
  for (const [kept, name] of cases) assertEquals(readContainerName(kept), name, String(kept));
});

Deno.test("readPodLogName reads what kubelet links", () => {
  assertEquals(readPodLogName(`web-7d4b9c_shop_nginx-${ID}.log`), {
    id: ID,
    name: "shop/web-7d4b9c/nginx",
  });
  const others = [
    `web_shop_nginx-${ID}`,
    `web_shop_nginx.log`,
    `nginx-${ID}.log`,
    `_shop_x-${ID}.log`,
  ];
  for (const file of others) assertEquals(readPodLogName(file), undefined, file);
});

import { everywhere, type Need } from "./packages.ts";
import { TRACE_NEEDS } from "./trace_needs.ts";

/** What the tests need: namespaces, traffic, oracles and compilers. */
export const TEST_NEEDS: readonly Need[] = [
  ...TRACE_NEEDS,
  { executables: ["ip", "ss"], package: { ...everywhere("iproute2"), "dnf": "iproute" } },
  { executables: ["nft"], package: everywhere("nftables") },
  { executables: ["tcpdump"], package: everywhere("tcpdump") },
  {
    executables: ["tshark"],
    package: {
      ...everywhere("tshark"),
      "dnf": "wireshark-cli",
      "pacman": "wireshark-cli",
      "zypper": "wireshark",
    },
  },
  { executables: ["clang"], package: everywhere("clang") },
  { executables: ["llvm-objcopy", "llvm-readelf"], package: everywhere("llvm") },
  { executables: ["gcc"], package: everywhere("gcc") },
  {
    executables: [],
    file: "/usr/include/stdio.h",
    package: {
      "apt-get": "libc6-dev",
      "dnf": "glibc-devel",
      "pacman": "glibc",
      "zypper": "glibc-devel",
      "apk": "musl-dev",
    },
  },
  {
    executables: ["ps"],
    package: { ...everywhere("procps-ng"), "apt-get": "procps", "zypper": "procps" },
  },
  {
    executables: ["python3"],
    package: { ...everywhere("python3"), "apt-get": "python3-minimal", "pacman": "python" },
  },
  // Terminals to run the tool on: one that passes on what is written, one that shows a screen.
  { executables: ["tmux"], package: everywhere("tmux") },
  {
    executables: ["script"],
    package: {
      ...everywhere("util-linux"),
      "apt-get": "bsdutils",
      "dnf": "util-linux-script",
      "apk": "util-linux-misc",
    },
  },
  // Shells to complete words in.
  { executables: ["zsh"], package: everywhere("zsh") },
  { executables: ["fish"], package: everywhere("fish") },
  // A fresh Debian to install the package in.
  { executables: ["debootstrap"], package: everywhere("debootstrap") },
  // Stock kernels to test in, emulated.
  {
    executables: ["qemu-system-x86_64"],
    package: {
      ...everywhere("qemu-system-x86"),
      "zypper": "qemu-x86",
      "apk": "qemu-system-x86_64",
    },
  },
  { executables: ["busybox"], package: { ...everywhere("busybox"), "apt-get": "busybox-static" } },
  { executables: ["depmod", "modprobe"], package: everywhere("kmod") },
  { executables: ["xz"], package: { ...everywhere("xz"), "apt-get": "xz-utils" } },
  { executables: ["zstd"], package: everywhere("zstd") },
];

/** What some tests need, which are skipped where it cannot be had. */
export const TEST_WISHES: readonly Need[] = [
  // A browser, for the page of a report.
  { executables: ["chromium"], package: everywhere("chromium") },
];

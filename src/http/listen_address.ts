import { isIpv4Mapped, parseAddress } from "../wire/address.ts";

/** Where a server of pages listens: at an address and port, a path, or a socket that it is handed. */
export type ListenAddress =
  | {
    kind: "tcp";
    hostname: string;
    /** 0: any that is free. */
    port: number;
    /** Whether only this host reaches it. */
    isLocal: boolean;
  }
  | { kind: "unix"; path: string }
  /** The socket that systemd opened (systemd.socket(5)). */
  | { kind: "systemd" };

const TCP = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/;
const UNIX = /^unix:(.+)$/;
const PORT_MAX = 65_535;
/** What `struct sockaddr_un` holds (unix(7)), less the zero behind it. */
const UNIX_PATH_MAX = 107;
/** 127.0.0.0/8. */
const LOOPBACK_NET = 127;

/** Reads an address such as `127.0.0.1:9464`; undefined where it is none. */
export function parseListenAddress(text: string): ListenAddress | undefined {
  if (text === "systemd") return { kind: "systemd" };
  const path = UNIX.exec(text)?.[1];
  if (path !== undefined) {
    const { length } = new TextEncoder().encode(path);
    return length <= UNIX_PATH_MAX ? { kind: "unix", path } : undefined;
  }
  const [, inBrackets, plain, digits] = TCP.exec(text) ?? [];
  const port = Number(digits);
  if (!(port <= PORT_MAX)) return undefined;
  if (plain === "localhost") return { kind: "tcp", hostname: "127.0.0.1", port, isLocal: true };
  const hostname = inBrackets ?? plain;
  const words = parseAddress(hostname);
  if (words === undefined || hostname.includes(":") !== (inBrackets !== undefined)) {
    return undefined;
  }
  return { kind: "tcp", hostname, port, isLocal: isLoopback(words) };
}

/** Whether an address, four words of 32 bits, is of this host alone. */
export function isLoopback(words: Uint32Array): boolean {
  if (isIpv4Mapped(words)) return words[3] >>> 24 === LOOPBACK_NET;
  return words[0] === 0 && words[1] === 0 && words[2] === 0 && words[3] === 1;
}

/** The address as it is written. */
export function formatListenAddress(address: ListenAddress): string {
  if (address.kind === "systemd") return "systemd";
  if (address.kind === "unix") return `unix:${address.path}`;
  const { hostname, port } = address;
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}

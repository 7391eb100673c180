import { parseAddress } from "../wire/address.ts";

/** RFC 9110 section 7.2: a name or an address, in brackets if it has colons, and a port. */
const HOST = /^(?:\[([^\]]*)\]|([^:]*))(?::\d*)?$/;

/**
 * Whether a `Host` header is one that a client on this host gives where it asks at a loopback address.
 *
 * A page in a browser on this host may have its own name lead to 127.0.0.1 once it was loaded (DNS
 * rebinding), and then read what is answered there: but that name is in the header. So taken are
 * addresses, `localhost` and what ends in `.localhost` (RFC 6761), and names without a dot, which no
 * stranger can have. So is a request without the header: browsers always give it.
 */
export function isLocalHost(header: string | undefined): boolean {
  if (header === undefined) return true;
  const [, inBrackets, plain = inBrackets] = HOST.exec(header) ?? [];
  if (plain === undefined) return false;
  if (parseAddress(plain) !== undefined) return true;
  const name = plain.toLowerCase().replace(/\.$/, "");
  return inBrackets === undefined && (!name.includes(".") || name.endsWith(".localhost"));
}

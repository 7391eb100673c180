import type { Endpoint, Handshake } from "./handshake.ts";

/** Copies a handshake, an object that is filled anew for each: the copy stays as it is. */
export function copyHandshake(handshake: Handshake): Handshake {
  const { interfaces, client, server, flags } = handshake;
  return {
    ...handshake,
    interfaces: [...interfaces],
    client: copyEndpoint(client),
    server: copyEndpoint(server),
    flags: [...flags],
  };
}

/** What it points to besides is made for one handshake and left alone then. */
function copyEndpoint(endpoint: Endpoint): Endpoint {
  return { ...endpoint, address: endpoint.address.slice() };
}

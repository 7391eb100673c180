/** What parseFilter makes of no flag that filters. */
import type { HandshakeFilter } from "../../../src/pipeline/filter.ts";

export const NO_FILTER: HandshakeFilter = {
  ports: undefined,
  notPorts: undefined,
  serverPorts: undefined,
  networks: undefined,
  notNetworks: undefined,
  roles: undefined,
  outcomes: undefined,
  reasons: undefined,
  slowerThan: undefined,
  comms: undefined,
  notComms: undefined,
  pids: undefined,
  uids: undefined,
  cgroups: undefined,
  containers: undefined,
  notContainers: undefined,
  since: undefined,
  until: undefined,
  tracedOn: undefined,
  sample: undefined,
};

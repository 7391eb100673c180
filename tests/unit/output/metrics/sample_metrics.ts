/** A model of metrics with some handshakes, and ways to read it. */
import { Handshake, type Outcome, type Role } from "../../../../src/match/handshake.ts";
import { USUAL_BOUNDS } from "../../../../src/output/metrics/choices.ts";
import {
  type Family,
  MetricsModel,
  type MetricsModelOptions,
  type Moment,
} from "../../../../src/output/metrics/metrics_model.ts";
import { parseAddress } from "../../../../src/wire/address.ts";
import { Summary } from "../../../../src/pipeline/summary.ts";
import { CONTEXT } from "../../record/sample_handshakes.ts";

/** 2026-11-23T01:02:03Z, milliseconds. */
export const NOW_MS = 1_795_395_723_000;

/** A clock that is set by hand. */
export class TestClock {
  nowMs = NOW_MS;
}

/** Makes a model. */
export function makeModel(
  clock: TestClock,
  options: Partial<MetricsModelOptions> = {},
): MetricsModel {
  return new MetricsModel({
    serversMax: 200,
    extraLabels: [],
    bounds: USUAL_BOUNDS,
    version: "1.2.3",
    now: () => clock.nowMs,
    ...options,
  });
}

/** What differs from an established handshake of a client. */
export interface Differences {
  server?: string;
  port?: number;
  role?: Role;
  outcome?: Outcome;
  reason?: string;
  clientRttNs?: number;
  serverRttNs?: number;
  totalNs?: number;
  synCount?: number;
  synAckCount?: number;
  dropReason?: string;
}

/** Makes a handshake with a server. */
export function handshakeWith({ server, port, ...rest }: Differences = {}): Handshake {
  const handshake = new Handshake();
  handshake.client.address.set(parseAddress("10.0.0.1")!);
  handshake.client.port = 40_000;
  handshake.server.address.set(parseAddress(server ?? "10.0.0.2")!);
  handshake.server.port = port ?? 443;
  handshake.ipv4 = true;
  handshake.wire = true;
  return Object.assign(handshake, { role: "client", outcome: "established", ...rest });
}

/** What a model is told beside handshakes. */
export function makeMoment(parts: Partial<Moment> = {}): Moment {
  return {
    state: {
      span: { epochSeconds: NOW_MS / 1000, startNs: 0, endNs: 0 },
      losses: {},
      undecoded: {},
      summary: new Summary(),
      context: CONTEXT,
    },
    up: { sources: {} },
    process: {},
    ...parts,
  };
}

/** The values of a counter by its labels: `10.0.0.2:443 client established `. */
export function valuesOf(families: readonly Family[], prometheus: string): Record<string, number> {
  const found = families.find(({ name }) => name.prometheus === prometheus);
  return Object.fromEntries(
    found?.points.map(({ labels, value }) => {
      const { server_address, server_port, ...rest } = labels;
      const server = server_address === undefined ? [] : [`${server_address}:${server_port}`];
      return [[...server, ...Object.values(rest)].join(" ").trimEnd(), value];
    }) ?? [],
  );
}

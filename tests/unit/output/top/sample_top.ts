/** A model of a minute of a small host, and its view: what tests look at and the picture in the README. */
import type { Handshake, Outcome } from "../../../../src/match/handshake.ts";
import { drawView } from "../../../../src/output/top/draw_view.ts";
import type { Key, KeyName } from "../../../../src/output/top/keys.ts";
import type { ScreenSize } from "../../../../src/output/top/screen_line.ts";
import { TopModel } from "../../../../src/output/top/top_model.ts";
import { TopView, type TopViewOptions } from "../../../../src/output/top/top_view.ts";
import { CONTEXT, EPOCH_SECONDS, makeHandshake } from "../../record/sample_handshakes.ts";

/** When it is looked at: a minute after {@link EPOCH_SECONDS}. */
export const NOW_SECONDS = EPOCH_SECONDS + 60;

/** What one is made of. */
export interface Sample {
  /** Seconds after the start at which it comes. */
  second?: number;
  server?: string;
  port?: number;
  client?: string;
  comm?: string;
  outcome?: Outcome;
  reason?: string;
  role?: Handshake["role"];
  clientRttNs?: number;
  serverRttNs?: number;
}

/** Makes a handshake of it. */
export function sampleHandshake(sample: Sample = {}): Handshake {
  const { second = 30, server = "10.0.0.5", port = 443, client = "10.0.0.1", comm } = sample;
  const { outcome = "established", role = "client" } = sample;
  const isEstablished = outcome === "established";
  const { clientRttNs = 400_000, serverRttNs = 30_000 } = sample;
  const answered = isEstablished && {
    clientRttNs,
    serverRttNs,
    totalNs: clientRttNs + serverRttNs,
    synAckCount: 1,
    synAckNs: clientRttNs,
    ackNs: clientRttNs + serverRttNs,
    synAckAcknowledgesSyn: true,
    ackSequence: true,
    ackAcknowledgesSynAck: true,
  };
  return makeHandshake({
    epochSeconds: EPOCH_SECONDS + second,
    role,
    outcome,
    reason: sample.reason,
    wire: true,
    place: 2,
    synCount: 1,
    synNs: 0,
    client: {
      address: client,
      port: 40_000,
      isn: 0x4ce45750,
      process: comm === undefined ? undefined : { pid: 7, comm, uid: 1000, cgroup: 8231 },
    },
    server: { address: server, port, isn: isEstablished ? 0xc112f693 : undefined },
    ...answered,
  });
}

/** A clock that a test moves. */
export class SampleClock {
  seconds = NOW_SECONDS;
  readonly wallMs = (): number => this.seconds * 1000;
}

/** A model that took some, each in its second. */
export function sampleModel(samples: readonly Sample[], clock = new SampleClock()): TopModel {
  const model = new TopModel(clock.wallMs);
  for (const sample of samples) {
    clock.seconds = EPOCH_SECONDS + (sample.second ?? 30);
    model.take(sampleHandshake(sample), CONTEXT);
  }
  clock.seconds = NOW_SECONDS;
  return model;
}

/** A minute of a host on which a service goes down after forty seconds. */
export function sampleMinute(): Sample[] {
  const samples: Sample[] = [];
  for (let second = 0; second < 60; second++) {
    for (let nth = 0; nth < 6 + second % 5; nth++) {
      samples.push({
        second,
        server: "10.0.0.5",
        port: 5432,
        comm: "checkout",
        clientRttNs: 380_000 + 9_100 * ((7 * second + nth) % 23),
        serverRttNs: 21_000 + 700 * (nth % 5),
      });
    }
    for (let nth = 0; nth < 2 + second % 3; nth++) {
      samples.push({
        second,
        server: "172.67.149.132",
        client: "192.168.100.191",
        comm: "curl",
        clientRttNs: 10_231_000 + 310_000 * (second % 7),
        serverRttNs: 41_000,
      });
      samples.push({
        second,
        role: "server",
        server: "192.168.100.191",
        client: `198.51.100.${10 + second % 9}`,
        clientRttNs: 55_000 + 1_000 * (second % 4),
        serverRttNs: 18_000_000 + 450_000 * (second % 11),
      });
    }
    if (second >= 40) {
      for (let nth = 0; nth < 3; nth++) {
        samples.push({
          second,
          server: "10.0.0.6",
          port: 6379,
          comm: "checkout",
          outcome: "refused",
          reason: "ECONNREFUSED",
        });
      }
    } else {
      samples.push({
        second,
        server: "10.0.0.6",
        port: 6379,
        comm: "checkout",
        clientRttNs: 96_000,
      });
    }
    if (second % 13 === 7) {
      samples.push({
        second,
        server: "2001:db8:0:1:2:3:4:80",
        client: "2001:db8::7",
        comm: "日本語",
        outcome: "timeout",
        reason: "ETIMEDOUT",
      });
    }
  }
  return samples;
}

/** A view of a model. */
export function sampleView(model: TopModel, options: Partial<TopViewOptions> = {}): TopView {
  const view = new TopView(model, {
    ascii: false,
    localTime: false,
    table: { grouping: "server", sort: "rate", isReversed: false },
    parseFilter: (text) =>
      text.includes("!")
        ? { fault: `Unknown flag "${text}"` }
        : { passes: ({ outcome }) => outcome.includes(text.trim()) },
    ladder: ({ number }) => [[{ text: `ladder of ${number}` }], [{ text: "x".repeat(60) }]],
    ...options,
  });
  view.status = {
    host: "web1",
    source: "live",
    delivering: {
      wire: [{ netns: 1, interface: "eth0", up: true }, { netns: 1, interface: "lo", up: true }],
      kernel: "fentry",
    },
    losses: {},
    filtered: 0,
  };
  return view;
}

/** The screen as text. */
export function screenText(view: TopView, size: ScreenSize): string {
  return drawView(view, size).map((line) => line.map(({ text }) => text).join("").trimEnd())
    .join("\n");
}

/** Presses keys: names of keys in brackets, everything else as characters. */
export function press(view: TopView, ...keys: string[]) {
  const actions = keys.flatMap((key) => {
    const name = /^<(.*)>$/.exec(key)?.[1] as KeyName | undefined;
    const all: Key[] = name
      ? [{ kind: "key", name }]
      : [...key].map((text) => ({ kind: "text", text }));
    return all.map((each) => view.press(each));
  });
  return actions.filter((action) => action !== undefined);
}

/**
 * Runs `synsnoop metrics` as a process, with the permissions of its task, and asks it for pages.
 *
 * @module
 */
import { encodeHandshake } from "../../src/record/ndjson.ts";
import { type Differences, handshakeWith } from "../unit/output/metrics/sample_metrics.ts";
import { CONTEXT, EPOCH_SECONDS } from "../unit/record/sample_handshakes.ts";
import { SpeakingRun, taskCommand } from "./speaking_run.ts";

/** Records of handshakes, as lines. */
export function recordsOf(handshakes: readonly Differences[]): string {
  return handshakes.map((differences, at) => {
    const handshake = handshakeWith(differences);
    handshake.epochSeconds = EPOCH_SECONDS;
    handshake.timeNs = at * 1e6;
    handshake.client.isn = at;
    handshake.synNs = 0;
    return encodeHandshake(handshake, CONTEXT);
  }).join("");
}

/** A running program that gives metrics. */
export class MetricsRun extends SpeakingRun {
  /** Starts `synsnoop metrics`. */
  static start(args: readonly string[], options?: Deno.CommandOptions): MetricsRun {
    return new MetricsRun(taskCommand("metrics", args), options);
  }

  /** Waits until it listens. @returns Where, such as 127.0.0.1:9464. */
  async address(): Promise<string> {
    return (await this.says(/metrics are at (?:http:\/\/)?(.*)\/metrics$/))[1];
  }

  /** Sends a signal and waits for the end. @returns The exit status. */
  async stop(signal: Deno.Signal = "SIGTERM"): Promise<number> {
    this.child.kill(signal);
    return await this.ended();
  }
}

/** What was answered. */
export interface Answer {
  status: number;
  headers: string;
  body: string;
}

/** Connects to where something listens: `127.0.0.1:9464`, `[::1]:9464`, `unix:PATH`. */
export function connectTo(address: string): Promise<Deno.Conn> {
  if (address.startsWith("unix:")) {
    return Deno.connect({ transport: "unix", path: address.slice("unix:".length) });
  }
  const [, hostname, port] = /^\[?(.*?)\]?:(\d+)$/.exec(address)!;
  return Deno.connect({ hostname, port: Number(port) });
}

/** Asks for a page. */
export async function ask(
  address: string,
  path = "/metrics",
  { accept = "*/*", host = "a" } = {},
): Promise<Answer> {
  using connection = await connectTo(address);
  await connection.write(
    new TextEncoder().encode(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nAccept: ${accept}\r\n\r\n`),
  );
  const text = await new Response(connection.readable).text();
  const end = text.indexOf("\r\n\r\n");
  return {
    status: Number(text.slice(9, 12)),
    headers: text.slice(0, end),
    body: text.slice(end + 4),
  };
}

/** The sum of all samples of a metric whose labels hold some text. */
export function sumOf(body: string, name: string, ...labels: readonly string[]): number {
  return body.split("\n")
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .filter((line) => labels.every((label) => line.includes(label)))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
}

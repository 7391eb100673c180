/**
 * Answers Prometheus with what a shipper measures.
 *
 * @module
 */
import { formatListenAddress, type ListenAddress } from "../http/listen_address.ts";
import { openListener } from "../http/open_listener.ts";
import { PageServer } from "../http/page_server.ts";
import { Rendered } from "../http/rendered.ts";
import type { Family } from "../output/metrics/metrics_model.ts";
import {
  chooseTextKind,
  CONTENT_TYPES,
  PrometheusWriter,
  type TextKind,
} from "../output/metrics/prometheus_text.ts";
import { messageOf } from "../text/message.ts";

/** The text is made anew only when it is older. */
const RENDERED_MS = 1_000;

/**
 * Listens.
 *
 * @param families Their values now. @param isUp Whether the last try reached a server, for /healthz.
 * @throws {Error} One sentence, where that is not possible.
 */
export async function answerShipMetrics(
  address: ListenAddress,
  families: () => Family[],
  isUp: () => boolean,
  onNote: (sentence: string) => void,
): Promise<PageServer> {
  const writer = new PrometheusWriter();
  const encoder = new TextEncoder();
  const rendered = (kind: TextKind) =>
    new Rendered(() => encoder.encode(writer.write(families(), kind)), RENDERED_MS);
  const texts = { text: rendered("text"), openmetrics: rendered("openmetrics") };
  try {
    const listener = await openListener(address);
    onNote(`metrics are at ${listener.where}/metrics`);
    return new PageServer(listener, {
      "/metrics": ({ headers }) => {
        const kind = chooseTextKind(headers.get("accept"));
        const body = texts[kind].bytes(performance.now());
        return { status: 200, contentType: CONTENT_TYPES[kind], body };
      },
      "/healthz": () => ({
        status: isUp() ? 200 : 503,
        contentType: "text/plain; charset=utf-8",
        body: encoder.encode(isUp() ? "ok\n" : "no server takes records\n"),
      }),
    }, onNote);
  } catch (error) {
    throw new Error(
      `Cannot listen at ${formatListenAddress(address)}: ${
        messageOf(error)
      }; give another --metrics`,
    );
  }
}

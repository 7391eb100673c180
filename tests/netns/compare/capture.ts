/**
 * A capture beside the tracers.
 *
 * @module
 */
import { TextLineStream } from "@std/streams";
import { CaptureAxis } from "../../../src/pcap/capture_axis.ts";
import { CaptureReader } from "../../../src/pcap/capture_reader.ts";
import { buildPcap, type PcapRecord } from "../../unit/pcap/build_capture.ts";
import type { Namespace } from "../namespace.ts";

/** Unix time at which a slowed down capture begins. */
const BEGIN_SECONDS = 1_000_000_000;

/** A running tcpdump. */
export class Capture implements AsyncDisposable {
  readonly #file: string;
  readonly #child: Deno.ChildProcess;

  private constructor(file: string, child: Deno.ChildProcess) {
    this.#file = file;
    this.#child = child;
  }

  /**
   * Starts it on one interface or on `any` and waits until it captures.
   *
   * @param file What it writes. @param anyLinkType Of `any`; the older one is what every reader knows.
   */
  static async start(
    namespace: Namespace,
    interfaceName: string,
    file: string,
    anyLinkType: "LINUX_SLL" | "LINUX_SLL2" = "LINUX_SLL",
  ): Promise<Capture> {
    const linkType = interfaceName === "any" ? ["-y", anyLinkType] : [];
    const child = namespace.spawn(
      [
        ...["tcpdump", "-i", interfaceName, ...linkType, "-w", file, "-s", "128", "-B", "8192"],
        ...["-Z", "root", "--immediate-mode", "--time-stamp-precision=nano"],
      ],
      { stdout: "null", stderr: "piped" },
    );
    const reader = child.stderr.pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream()).getReader();
    for (let told = ""; !told.includes("listening on");) {
      const { value, done } = await reader.read();
      if (done) throw new Error("Cannot start tcpdump: it ended before it captured");
      told = value;
    }
    return new Capture(file, child);
  }

  /** Stops it; the file is then whole. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGINT");
    const { success } = await this.#child.status;
    if (!success) throw new Error(`Cannot use the capture "${this.#file}": tcpdump failed`);
  }
}

/**
 * Makes a copy of a capture file in which time passes so many times slower: for a reader that prints no
 * more than tenths of a millisecond.
 *
 * @param file A capture with times in nanoseconds; a thousand times slower, microseconds lose nothing.
 */
export async function slowedDown(file: string, slower: 1000): Promise<Uint8Array> {
  const records: PcapRecord[] = [];
  let linkType = 0;
  let firstNs = NaN;
  const reader = new CaptureReader(new CaptureAxis(), (packet) => {
    const { view, start, end, originalLength, timeNs } = packet;
    linkType = packet.interface.linkType;
    if (Number.isNaN(firstNs)) firstNs = timeNs;
    const microseconds = (timeNs - firstNs) * slower / 1000;
    records.push({
      seconds: BEGIN_SECONDS + Math.floor(microseconds / 1e6),
      fraction: microseconds % 1e6,
      data: new Uint8Array(view.buffer, view.byteOffset + start, end - start).slice(),
      originalLength,
    });
  });
  reader.feed(await Deno.readFile(file));
  reader.end();
  if (reader.fault) throw new Error(`Cannot read "${file}": ${reader.fault.reason}`);
  return buildPcap({ linkType, records });
}

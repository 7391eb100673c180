/**
 * Where the page of a report goes, for the commands that make one.
 *
 * @module
 */
import { openLineOutput } from "../files/open_output.ts";
import { fileAt, isSameFile } from "../files/same_file.ts";
import { type ByteWriter, type LineOutput, writeText } from "../files/stream_output.ts";
import { IS_THERE, WholeFile } from "../files/whole_file.ts";
import { composePage } from "../output/report/compose_page.ts";
import { ReportSink } from "../output/report/report_sink.ts";
import { messageOf } from "../text/message.ts";
import { boundClocks } from "./bound_clocks.ts";
import { whyNoPath } from "./flags/output_options.ts";
import { outputSurface, sayNote } from "./process/terminal.ts";
import { UsageError } from "./usage.ts";
import { readVersion } from "./version.ts";

/** What is to be reported, and where to. */
export interface OpenReportOptions {
  /** The flag that names the place, without its dashes. */
  flag: string;
  /** Undefined: standard output. */
  path: string | undefined;
  /** Whether a page that is there is replaced. */
  force: boolean;
  /** Files that are read or written beside it. */
  others: readonly string[];
  /** The flags that say which handshakes come, as given. */
  filters: readonly string[];
  /** Whether names and addresses are hidden, which packets would tell. */
  anonymize: boolean;
  /** See {@link HandshakeFilter.sample}. */
  sample?: number;
  /** Whether an interruption left a part of what was given unread, at the end; absent: never. */
  isPart?: () => boolean;
  stdout: ByteWriter;
}

/**
 * Finds out whether the page can be written, and makes the sink that writes it at the end.
 *
 * @throws {UsageError} It cannot be written there.
 */
export async function openReport(options: OpenReportOptions): Promise<ReportSink> {
  const write = placeOf(options);
  return new ReportSink({
    version: await readVersion(),
    filters: options.filters,
    hidesPackets: options.anonymize,
    sample: options.sample,
    isPart: options.isPart,
    boundClocks,
    write: async (data) => {
      try {
        await write(await composePage(data));
        return true;
      } catch (error) {
        const to = options.path === undefined ? "to standard output" : `"${options.path}"`;
        sayNote(`Cannot write the page ${to}: ${messageOf(error)}`);
        return false;
      }
    },
  });
}

type WritePage = (page: string) => void | Promise<void>;

function placeOf({ flag, path, force, others, stdout }: OpenReportOptions): WritePage {
  if (path === undefined) {
    if (outputSurface().isTerminal) {
      throw new UsageError(
        "Cannot write a page to a terminal, which shows none: give --output page.html",
      );
    }
    return async (page) => {
      let fault: string | undefined;
      await writeText(stdout, page, (reason) => fault = reason);
      if (fault !== undefined) throw new Error(fault);
    };
  }
  try {
    const other = others.find((each) => each === path || isSameFile(path, each));
    if (other !== undefined) throw new Error(`it is "${other}", which is in use already`);
    const there = fileAt(path);
    // A device or a FIFO has no content that could be replaced.
    if (there?.isCharDevice || there?.isFifo) return writeThrough(path);
    const file = new WholeFile(path, force);
    return (page) => file.write(page);
  } catch (error) {
    const reason = whyNoPath(error);
    const advice = reason === IS_THERE
      ? "give --force to replace it, or another file"
      : "give another file";
    throw new UsageError(`Cannot use --${flag} "${path}": ${reason}; ${advice}`);
  }
}

function writeThrough(path: string): WritePage {
  const output: LineOutput = openLineOutput(path, undefined, sayNote, () => {});
  return async (page) => {
    output.write(page, 1);
    await output.flush();
    if (output.lost > 0) throw new Error("its reader has gone");
  };
}

/** Why there is no page: one sentence. @param read What was looked at: `12 records were read`. */
export function describeNoPage(read: string): string {
  return `Cannot make a page: no handshake matches; ${read}`;
}

/**
 * What a command says, and whether somebody looks at standard output.
 *
 * @module
 */
import { toAscii } from "../../text/ascii.ts";
import { escapeText } from "../../text/escape.ts";
import { environmentVariable } from "../../linux/environment.ts";
import { standardError } from "../../files/standard_streams.ts";
import { type ByteWriter, StreamOutput, writeText } from "../../files/stream_output.ts";

/** A full pipe or a stopped terminal must not stop who writes to it: messages wait, not the trace. */
let messages: StreamOutput | undefined;
const MESSAGES_MAX_BYTES = 1 << 20;

let prepare = () => {};

/** Has something done before the next words on standard error, such as to make room for them. */
export function beforeSaying(action: () => void): void {
  prepare = action;
}

/** Takes what is said in place of a terminal on which something else stands now. */
let screen: ((lines: string) => void) | undefined;

/**
 * Has what is said go to who shows a screen, and not to standard error where that is a terminal.
 *
 * @param take Undefined: no longer.
 */
export function sayOnScreen(take: ((lines: string) => void) | undefined): void {
  screen = take;
}

/** Writes some lines to standard error. Never waits; not being able to is no reason to stop. */
export function say(lines: string): void {
  if (screen !== undefined) {
    screen(lines);
    if (Deno.stderr.isTerminal()) return;
  }
  prepare();
  const text = localeIsUtf8() ? lines : toAscii(lines);
  show(text.endsWith("\n") ? text : text + "\n");
}

/** Has what is said next begin on a line of its own, behind the ^C that a terminal shows for Ctrl-C. */
export function leaveEcho(): void {
  if (screen === undefined && Deno.stderr.isTerminal()) show("\n");
}

/** Writes to standard error what is no line, such as how far one is. Never waits. */
export function show(text: string): void {
  messages ??= new StreamOutput(standardError(), () => {}, { waitingMax: MESSAGES_MAX_BYTES });
  messages.write(text, 0);
}

/** Settles when all that was said is written, or cannot be, or soon after {@link giveUpSaying}. */
export async function allSaid(): Promise<void> {
  await messages?.flush();
}

/** From now on whoever reads standard error is waited for two seconds, no longer. */
export function giveUpSaying(): void {
  messages?.hasten();
}

/** Says one sentence of the tool's own, which may quote untrusted text. */
export function sayNote(sentence: string): void {
  say(`synsnoop: ${escapeText(sentence)}`);
}

/** Writes a whole text to standard output, and says where that is not possible. @returns Whether it was. */
export function printText(output: ByteWriter, text: string): Promise<boolean> {
  return writeText(
    output,
    text,
    (reason) => sayNote(`Cannot write to standard output: ${reason}`),
  );
}

/** What standard output or standard error shows: a terminal or not, colours, more than ASCII. */
export interface OutputSurface {
  isTerminal: boolean;
  /** Whether people read it, whatever it is: lines are for them, records for programs. */
  isForPeople: boolean;
  /** On a terminal that has them, unless NO_COLOR is set (no-color.org). */
  colour: boolean;
  /** Whether the locale is UTF-8 (LC_ALL, else LC_CTYPE, else LANG, as in locale(7)). */
  utf8: boolean;
  /** The columns of the terminal now, Infinity where there is none or it does not tell. */
  width(): number;
}

/** How often the terminal is asked for its size at most, milliseconds. */
const SIZE_MS = 100;

/** Finds out what standard output shows. */
export function outputSurface(): OutputSurface {
  return surfaceOf(Deno.stdout.isTerminal());
}

/** Finds out what standard error shows, which is for people also where it is none. */
export function errorSurface(): OutputSurface {
  return { ...surfaceOf(Deno.stderr.isTerminal()), isForPeople: true };
}

function surfaceOf(isTerminal: boolean): OutputSurface {
  return {
    isTerminal,
    isForPeople: isTerminal,
    colour: isTerminal && terminalHasColours(),
    utf8: localeIsUtf8(),
    width: isTerminal ? rememberFor(SIZE_MS, terminalWidth) : () => Infinity,
  };
}

/** Whether standard input is a terminal, from which nothing is piped. */
export function isInputTerminal(): boolean {
  return Deno.stdin.isTerminal();
}

/** Whether a terminal has colours, and they are wanted. */
export function terminalHasColours(): boolean {
  return !Deno.noColor && environmentVariable("TERM") !== "dumb";
}

function terminalWidth(): number {
  try {
    // A serial console may say 0.
    return Deno.consoleSize().columns || Infinity;
  } catch {
    return Infinity;
  }
}

/** Asks anew only after so many milliseconds. */
function rememberFor(ms: number, ask: () => number): () => number {
  let answer = ask();
  let askedMs = performance.now();
  return () => {
    const nowMs = performance.now();
    if (nowMs - askedMs < ms) return answer;
    askedMs = nowMs;
    return answer = ask();
  };
}

function localeIsUtf8(): boolean {
  const locale = ["LC_ALL", "LC_CTYPE", "LANG"].map(environmentVariable).find((value) => value);
  return /utf-?8/i.test(locale ?? "");
}

/** Ends this process at once. */
export function exit(status: number): never {
  Deno.exit(status);
}

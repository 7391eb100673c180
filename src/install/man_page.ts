/**
 * Manual pages, made of the same tables as `--help`, in the macros of man(7).
 *
 * @module
 */
import type { Help } from "../cli/help.ts";

type Commands = readonly (readonly [name: string, help: Help])[];

/** Writes the manual page of one command: `synsnoop-NAME(1)`. */
export function commandPage(name: string, help: Help, version: string): string {
  const { summary, usage, flags, headings = {}, examples, paragraphs = [], statuses } = help;
  return [
    heading(`synsnoop-${name}`, version, summary),
    ".SH SYNOPSIS",
    ...usage.flatMap(([command, meaning]) => tagged(bold(command), meaning)),
    ".SH DESCRIPTION",
    escape(summary),
    ...paragraphs.flatMap((paragraph) => [".PP", escape(paragraph)]),
    ".SH OPTIONS",
    ...flags.flatMap((flag) => [
      ...flag.name in headings ? [`.SS ${escape(headings[flag.name])}`] : [],
      ...tagged(
        bold(`--${flag.name}`) + (flag.value ? ` ${italic(flag.value)}` : ""),
        flag.meaning,
      ),
    ]),
    ".SH EXIT STATUS",
    ...statuses.flatMap(([status, meaning]) => tagged(String(status), meaning)),
    ".SH EXAMPLES",
    ...examples.flatMap(([command, meaning]) => tagged(bold(command), meaning)),
    ".SH SEE ALSO",
    reference("synsnoop"),
    "",
  ].join("\n");
}

/** Writes the manual page of the tool: `synsnoop(1)`, which leads to those of its commands. */
export function toolPage(summary: string, commands: Commands, version: string): string {
  return [
    heading("synsnoop", version, summary),
    ".SH SYNOPSIS",
    `${bold("synsnoop")} ${italic("COMMAND")} [${italic("flags")}]`,
    ".br",
    `${bold("synsnoop --version")}`,
    ".SH DESCRIPTION",
    escape(summary),
    ".SH COMMANDS",
    ...commands.flatMap(([name, help]) => tagged(bold(name), help.summary)),
    ".SH SEE ALSO",
    commands.map(([name]) => reference(`synsnoop-${name}`)).join(",\n"),
    "",
  ].join("\n");
}

function heading(name: string, version: string, summary: string): string {
  const lines = [
    `.TH ${escape(name.toUpperCase())} 1 "" "synsnoop ${escape(version)}" "User Commands"`,
    // Ragged and not hyphenated: flags and file names stay as they are typed.
    ".nh",
    ".ad l",
    ".SH NAME",
    `${escape(name)} \\- ${escape(summary.replace(/\.$/, ""))}`,
  ];
  return lines.join("\n");
}

function tagged(tag: string, text: string): string[] {
  return [".TP", tag, escape(text)];
}

function bold(text: string): string {
  return `\\fB${escape(text)}\\fR`;
}

function italic(text: string): string {
  return `\\fI${escape(text)}\\fR`;
}

function reference(page: string): string {
  return `${bold(page)}(1)`;
}

/** What groff shows as another character, or takes for a command, by the name of the character meant. */
const NAMED: Readonly<Record<string, string>> = {
  "\\": "\\(rs",
  "-": "\\-",
  "'": "\\(aq",
  "`": "\\(ga",
  "^": "\\(ha",
  "~": "\\(ti",
  '"': "\\(dq",
};

/** Escapes a line of text for groff_char(7). */
function escape(text: string): string {
  const named = text.replace(/[\\\-'`^~"]/g, (character) => NAMED[character])
    .replace(/[^\x20-\x7e]/gu, (character) => {
      const code = character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0");
      return `\\[u${code}]`;
    });
  return named.startsWith(".") ? `\\&${named}` : named;
}

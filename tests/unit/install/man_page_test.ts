import { assertEquals, assertStringIncludes } from "@std/assert";
import { commandPage, toolPage } from "../../../src/install/man_page.ts";
import { SAMPLE_HELP, SAMPLE_HELP_WITHOUT_FILES } from "./sample_help.ts";

Deno.test("commandPage writes the sections of man-pages(7) in man(7), all text safe from groff", () => {
  assertEquals(
    commandPage("x", SAMPLE_HELP, "1.2.3"),
    String.raw`.TH SYNSNOOP\-X 1 "" "synsnoop 1.2.3" "User Commands"
.nh
.ad l
.SH NAME
synsnoop\-x \- Report what\(aqs there: [all] of \(gait\(ga
.SH SYNOPSIS
.TP
\fBsynsnoop x [flags] FILE...\fR
here
.SH DESCRIPTION
Report what\(aqs there: [all] of \(gait\(ga.
.PP
\&.PP is no macro here
.SH OPTIONS
.TP
\fB\-\-port\fR \fIPORT[/BITS]\fR
only this: \(rs one
.TP
\fB\-\-output\fR \fIFILE\fR
\&.append \[u00B5]
.TP
\fB\-\-help\fR
show this
.SH EXIT STATUS
.TP
0
done
.SH EXAMPLES
.TP
\fBsynsnoop x \-\-port 443 >\(aqa\(aq\fR
\(ti \(ha \(dqb\(dq $(c)
.SH SEE ALSO
\fBsynsnoop\fR(1)
`,
  );
});

Deno.test("toolPage names each command with what it does, and its page", () => {
  const page = toolPage("Show.", [["x", SAMPLE_HELP], ["y", SAMPLE_HELP_WITHOUT_FILES]], "1.2.3");
  assertStringIncludes(page, ".TP\n\\fBy\\fR\nTell.\n");
  assertStringIncludes(
    page,
    ".SH SEE ALSO\n\\fBsynsnoop\\-x\\fR(1),\n\\fBsynsnoop\\-y\\fR(1)\n",
  );
});

Deno.test("commandPage has a subsection for each heading over flags", () => {
  const page = commandPage("x", { ...SAMPLE_HELP, headings: { port: "Which", help: "More" } }, "1");
  const lines = page.split("\n");
  const headings = lines.flatMap((line, at) =>
    line.startsWith(".SS") ? [[line, lines[at + 2]]] : []
  );
  assertEquals(headings, [
    [".SS Which", String.raw`\fB\-\-port\fR \fIPORT[/BITS]\fR`],
    [".SS More", String.raw`\fB\-\-help\fR`],
  ]);
});

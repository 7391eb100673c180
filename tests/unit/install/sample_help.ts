import type { Help } from "../../../src/cli/help.ts";

/** A help with all that groff or a shell takes for something else. */
export const SAMPLE_HELP: Help = {
  summary: "Report what's there: [all] of `it`.",
  usage: [["synsnoop x [flags] FILE...", "here"]],
  flags: [
    { name: "port", value: "PORT[/BITS]", many: true, meaning: "only this: \\ one" },
    { name: "output", value: "FILE", meaning: ".append µ" },
    { name: "help", meaning: "show this" },
  ],
  examples: [["synsnoop x --port 443 >'a'", '~ ^ "b" $(c)']],
  paragraphs: [".PP is no macro here"],
  statuses: [[0, "done"]],
};

/** It takes no file. */
export const SAMPLE_HELP_WITHOUT_FILES: Help = {
  ...SAMPLE_HELP,
  summary: "Tell.",
  usage: [["synsnoop y [flags]", "here"]],
  flags: [{ name: "json", meaning: "as JSON" }],
};

import { assertEquals, assertThrows } from "@std/assert";
import { parseTopOptions } from "../../../../src/cli/flags/top_options.ts";
import { UsageError } from "../../../../src/cli/usage.ts";

Deno.test("parseTopOptions shows this host as a screen where nothing else is said", () => {
  const options = parseTopOptions([]);
  assertEquals([options.file, options.intervalMs, options.top], [undefined, undefined, 20]);
  assertEquals(options.table, { grouping: "server", sort: "rate", isReversed: false });
});

Deno.test("parseTopOptions reads what is to be shown and how", () => {
  const options = parseTopOptions(
    "--group reason --sort network-p99 --interval 5s --top 7 --colour never --failed -".split(" "),
  );
  assertEquals(options.table, { grouping: "reason", sort: "network-p99", isReversed: false });
  assertEquals(
    [options.intervalMs, options.top, options.colour, options.file],
    [5_000, 7, "never", "-"],
  );
  assertEquals(options.filter.outcomes?.includes("established"), false);
  assertEquals(parseTopOptions(["--quit-at-end", "a.ndjson"]).quitAtEnd, true);
});

Deno.test("parseTopOptions refuses what contradicts itself, with what to do", () => {
  const cases: [string, string][] = [
    ["a b", 'Cannot show "b" too: give one FILE, - for standard input, or none for this host'],
    ["--netns all a", "Cannot use --netns with a FILE: it is about what happens on this host"],
    ["--since 1h", "Cannot use --since without a FILE: what happens on this host happens now"],
    [
      "--quit-at-end",
      "Cannot use --quit-at-end without a FILE: what happens on this host happens now",
    ],
    ["--top 3", "Cannot use --top without --interval: a screen has rows of its own"],
    ["--interval 0.1s a", 'Cannot use --interval "0.1s": give a time of at least 1s'],
    [
      "--colour never --color auto",
      "Cannot use --colour with --color: they are the same, give one of them",
    ],
  ];
  for (const [line, message] of cases) {
    assertThrows(() => parseTopOptions(line.split(" ")), UsageError, message, line);
  }
});

import { assertEquals, assertThrows } from "@std/assert";
import { parseShipOptions } from "../../../../src/cli/flags/ship_options.ts";
import { UsageError } from "../../../../src/cli/usage.ts";

const TO = ["--to", "http://127.0.0.1:8123"];

Deno.test("parseShipOptions reads what is usual", () => {
  const { folder, statePath, limits, intervalMs, once, metrics } = parseShipOptions([
    "store/",
    ...TO,
  ]);
  assertEquals(
    [folder, statePath, limits, intervalMs, once, metrics],
    ["store/", "store/.shipped.json", { rows: 50_000, bytes: 8e6 }, 5_000, false, undefined],
  );
});

Deno.test("parseShipOptions reads flags", () => {
  const options = parseShipOptions(
    ["store", ...TO, "--state", "s", "--once", "--interval", "1s", "--batch-rows", "10"]
      .concat(["--batch-size", "1M", "--metrics", "127.0.0.1:9465"]),
  );
  assertEquals(
    [options.statePath, options.once, options.intervalMs, options.limits, options.metrics],
    ["s", true, 1_000, { rows: 10, bytes: 1e6 }, {
      ...{ kind: "tcp" as const, hostname: "127.0.0.1", port: 9465, isLocal: true },
    }],
  );
});

Deno.test("parseShipOptions needs no store to make or print tables", () => {
  assertEquals(parseShipOptions(["--apply", ...TO, "--cluster", "fleet"]).cluster, "fleet");
  assertEquals(parseShipOptions(["--ddl"]).printsDdl, true);
});

Deno.test("parseShipOptions refuses what makes no sense, in a sentence each", () => {
  const cases: readonly (readonly [args: string[], says: string])[] = [
    [[], "Cannot ship nothing: give the DIR"],
    [["store"], "Cannot ship to nowhere: give --to"],
    [["one", "two", ...TO], 'Cannot ship "two" too'],
    [["store", ...TO, "--cluster", "fleet"], "Cannot use --cluster without --apply or --ddl"],
    [["--ddl", "--cluster", "a-b"], 'Cannot use --cluster "a-b"'],
    [["--ddl", "--apply"], "Cannot use --ddl with --apply"],
    [["store", "--ddl"], 'Cannot use "store" with --ddl'],
    [["store", ...TO, "--interval", "1ms"], "give a time of at least 100ms"],
    [["store", ...TO, "--batch-rows", "0"], 'Cannot use --batch-rows "0"'],
    [["store", ...TO, "--batch-size", "1G"], "give at most 256M"],
    [["store", ...TO, "--metrics", "x"], 'Cannot use --metrics "x"'],
    [["store", ...TO, "--metrics", "systemd"], 'Cannot use --metrics "systemd"'],
    [["store", ...TO, "--metrics", "0.0.0.0:1"], "other hosts reach that address"],
    [["store", ...TO, "--metrics-public"], "Cannot use --metrics-public without --metrics"],
  ];
  for (const [args, says] of cases) {
    assertThrows(() => parseShipOptions(args), UsageError, says);
  }
});

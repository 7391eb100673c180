import { assert, assertEquals } from "@std/assert";
import {
  drawCounts,
  drawLegs,
  drawMinute,
  drawSources,
  drawTabs,
  drawTitle,
  type HeaderOptions,
  tabAt,
} from "../../../../src/output/top/draw_header.ts";
import { takePicture } from "../../../../src/output/top/picture.ts";
import { lineWidth, type ScreenLine } from "../../../../src/output/top/screen_line.ts";
import { sampleMinute, sampleModel, sampleView } from "./sample_top.ts";

const VIEW = { grouping: "server", sort: "rate", isReversed: false } as const;
const OPTIONS: HeaderOptions = {
  columns: 120,
  ascii: false,
  localTime: false,
  grouping: "server",
  filter: "",
  isPaused: false,
  taken: 1_000,
};
const model = sampleModel(sampleMinute());
const picture = takePicture(model, VIEW, false);
const { status } = sampleView(model);

function textOf(line: ScreenLine): string {
  return line.map(({ text }) => text).join("");
}

Deno.test("the header says where from, when and how many", () => {
  assertEquals(
    textOf(drawTitle(picture, { ...status, host: "a\x1bb" }, OPTIONS)),
    "synsnoop top  01:03:03 UTC  a\\u{1b}b  live",
  );
  assertEquals(
    textOf(drawTitle(picture, status, { ...OPTIONS, isPaused: true, taken: picture.taken + 7 })),
    "synsnoop top  paused: 7 came since  01:03:03 UTC  web1  live",
  );
  assertEquals(
    textOf(drawCounts(picture, status, OPTIONS)),
    "945 handshakes  17/s  65 failed  3.1 failed/s  lost: nothing  60 refused  5 timeout",
  );
  const lossy = { ...status, losses: { ring_packets: 3, unread_lines: 2 }, filtered: 9 };
  assertEquals(
    textOf(drawCounts(picture, lossy, { ...OPTIONS, filter: "--failed" })),
    "945 of 945 handshakes  17/s  65 failed  3.1 failed/s  lost: 5  most of ring_packets  " +
      "60 refused  5 timeout",
  );
});

Deno.test("the header keeps both legs apart by role", () => {
  const both = takePicture(
    sampleModel([
      { role: "client", clientRttNs: 10_000_000, serverRttNs: 40_000 },
      { role: "server", clientRttNs: 50_000, serverRttNs: 20_000_000 },
    ]),
    VIEW,
    false,
  );
  assertEquals(
    textOf(drawLegs(both.totals, OPTIONS)),
    "network RTT p50 10.1 ms p99 20.0 ms  this host as client p50 40.0 µs p99 40.0 µs  " +
      "as server p50 50.0 µs p99 50.0 µs",
  );
  const never = takePicture(sampleModel([{ outcome: "refused" }]), VIEW, false);
  assertEquals(textOf(drawLegs(never.totals, OPTIONS)), "network RTT: never measured");
});

Deno.test("the header draws the last minute", () => {
  const text = textOf(drawMinute(picture.totals, OPTIONS));
  assertEquals(text.indexOf(" failed "), 23 + 30);
  assertEquals(text.length, 23 + 30 + 8 + 30);
  assertEquals(drawMinute(picture.totals, { ...OPTIONS, columns: 40 }), []);
});

Deno.test("the header names what delivers, and what is down", () => {
  assertEquals(textOf(drawSources(status, OPTIONS)), "packets eth0 lo  kernel fentry");
  const wire = [{ netns: 1, interface: "eth\x1b0", up: false }];
  assertEquals(
    textOf(drawSources({ ...status, delivering: { wire, kernel: "none" } }, OPTIONS)),
    "packets none  kernel none  down: eth\\u{1b}0",
  );
  assertEquals(drawSources({ ...status, delivering: undefined }, OPTIONS), []);
});

Deno.test("the header's groupings can be clicked", () => {
  const text = textOf(drawTabs(OPTIONS));
  assertEquals(text.trim(), "[server]  client   process   container   cgroup   reason");
  const at = (name: string) => tabAt(OPTIONS, text.indexOf(name));
  assertEquals(["server", "client", "process", "reason"].map(at), [
    "server",
    "client",
    "process",
    "reason",
  ]);
  assertEquals(tabAt(OPTIONS, 99), undefined);
  // Where they have no room, the one that is shown stands alone.
  assertEquals(tabAt({ ...OPTIONS, columns: 40 }, 12), undefined);
});

Deno.test("the header is no wider than the screen", () => {
  for (let columns = 40; columns < 140; columns++) {
    const options = { ...OPTIONS, columns, filter: "--failed --port 443", isPaused: true };
    for (
      const line of [
        drawTitle(picture, status, options),
        drawCounts(picture, status, options),
        drawLegs(picture.totals, options),
        drawMinute(picture.totals, options),
        drawSources(status, options),
        drawTabs(options),
      ]
    ) assert(lineWidth(line) <= columns, `${columns}: ${textOf(line)}`);
  }
});

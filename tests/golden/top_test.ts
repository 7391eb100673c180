// The screens of `top`, as lines and as the pictures that documents show. After a change that is meant:
// deno test --allow-read --allow-write tests/golden -- --update
import { assertEquals } from "@std/assert";
import { drawLesson } from "../../src/explain/lesson_text.ts";
import { tellStory } from "../../src/explain/story.ts";
import { storyNames } from "../../src/explain/teller.ts";
import { drawView } from "../../src/output/top/draw_view.ts";
import type { ScreenSize } from "../../src/output/top/screen_line.ts";
import type { TopView } from "../../src/output/top/top_view.ts";
import {
  press,
  sampleMinute,
  sampleModel,
  sampleView,
  screenText,
} from "../unit/output/top/sample_top.ts";
import { drawScreenSvg } from "./screen_svg.ts";

const UPDATE = Deno.args.includes("--update");

/** A host on which a service is down, after some keys. */
function viewAfter(keys: readonly string[], ascii = false): TopView {
  const view = sampleView(sampleModel(sampleMinute()), {
    ascii,
    ladder: ({ handshake, context }) =>
      drawLesson(
        tellStory(handshake, {
          packets: [],
          complete: true,
          recorded: true,
          ...storyNames(context),
        }),
        { ascii, header: false },
      ),
  });
  press(view, ...keys);
  return view;
}

const LARGE = { columns: 120, rows: 26 };

function picture(keys: readonly string[], size: ScreenSize, title: string): string {
  return drawScreenSvg(drawView(viewAfter(keys), size), size, title);
}

const SCREENS: { name: string; write: () => string }[] = [
  {
    name: "top.svg",
    write: () => picture([], LARGE, "synsnoop top: servers, one of which refuses since 20 s"),
  },
  {
    name: "top.ladder.svg",
    write: () =>
      picture(["o", "<enter>"], { columns: 84, rows: 26 }, "synsnoop top: the ladder of a handshake"),
  },
  { name: "top.80x24.txt", write: () => screenText(viewAfter([]), { columns: 80, rows: 24 }) + "\n" },
  { name: "top.40x10.txt", write: () => screenText(viewAfter([]), { columns: 40, rows: 10 }) + "\n" },
  {
    name: "top.ascii.txt",
    write: () =>
      screenText(viewAfter(["<tab>", "<tab>"], true), { columns: 160, rows: 24 }) + "\n",
  },
  { name: "top.list.txt", write: () => screenText(viewAfter(["f"]), { columns: 80, rows: 12 }) + "\n" },
  { name: "top.help.txt", write: () => screenText(viewAfter(["?"]), { columns: 80, rows: 42 }) + "\n" },
];

for (const { name, write } of SCREENS) {
  Deno.test(`golden: ${name}`, () => {
    const path = `${import.meta.dirname}/${name}`;
    const written = write();
    if (UPDATE) Deno.writeTextFileSync(path, written);
    assertEquals(written, Deno.readTextFileSync(path));
  });
}

// The page of a report in a browser: what it shows and does, and what it must not.
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import axe from "axe-core";
import type { Page } from "playwright-core";
import { Browser } from "./chromium.ts";
import { extremes, HOSTILE_NAMES, makePage, oddities, tenMinutes } from "./report_pages.ts";

const UPDATE = Deno.args.includes("--update");
const FOLDER = await Deno.makeTempDir({ prefix: "synsnoop-pages-" });
const TEN_MINUTES = await makePage(tenMinutes());
const PAGE = `${FOLDER}/page.html`;
const ODD_PAGE = `${FOLDER}/odd.html`;
const EXTREME_PAGE = `${FOLDER}/extreme.html`;
await Deno.writeTextFile(EXTREME_PAGE, (await makePage(extremes())).html);
await Deno.writeTextFile(PAGE, TEN_MINUTES.html);
await Deno.writeTextFile(ODD_PAGE, (await makePage(oddities())).html);

let browser: Browser;
Deno.test.beforeAll(async () => void (browser = await Browser.start()));
Deno.test.afterAll(async () => {
  await browser[Symbol.asyncDispose]();
  await Deno.remove(FOLDER, { recursive: true });
});

/** A test of a page, at whose end it has asked for nothing and said nothing. */
function test(name: string, work: (page: Page) => Promise<void>, hash = "", path = PAGE): void {
  // The browser outlives each test, with all that it holds.
  const options = { sanitizeOps: false, sanitizeResources: false };
  Deno.test({
    name: `report page: ${name}`,
    ...options,
    fn: async () => {
      const { page, watch } = await browser.open(path, hash);
      try {
        await work(page);
        assertEquals(watch, { requests: [], said: [] });
      } finally {
        await page.close();
      }
    },
  });
}

const hashOf = (page: Page) => new URL(page.url()).hash;
const numberOf = (text: string) => Number(text.replaceAll(",", ""));

/** The numbers on top, by what they count. */
async function cardsOf(page: Page): Promise<Record<string, number>> {
  const cards = await page.locator(".cards li").evaluateAll((items) =>
    items.map((item) => [item.childNodes[1].textContent, item.querySelector("b")?.textContent])
  );
  return Object.fromEntries(cards.map(([name, count]) => [name, numberOf(count ?? "")]));
}

/** Texts of a column of the table. */
const columnOf = (page: Page, column: number) =>
  page.locator(`.handshakes tbody tr:not(.story) > :nth-child(${column})`).allTextContents();

test("counts what --stats does, and each handshake once", async (page) => {
  const { handshakes, outcomes } = TEN_MINUTES.statistics;
  assertEquals(handshakes, 600);
  assertEquals(await cardsOf(page), { handshakes, ...outcomes });
});

test("shows names that somebody chose as text", async (page) => {
  const processes = (await page.getByRole("region", { name: "Processes" }).locator("th[scope=row]")
    .allTextContents()).sort();
  const expected = HOSTILE_NAMES.map((name) => name.replace("\u202e", "\\u{202e}")).sort();
  assertEquals(processes, expected);
  assertEquals(await page.locator("img, iframe, b b, [onload], [onerror]").count(), 0);
  assertStringIncludes(await page.locator(".facts").first().innerText(), "web1 (600)");
});

Deno.test({
  name: "report page: its policy lets nothing else run, and nothing be fetched",
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    const { page, watch } = await browser.open(PAGE);
    await page.evaluate(`new Promise((resolve) => {
      const [script, style, image] = ["script", "style", "img"].map((name) => document.createElement(name));
      script.textContent = "globalThis.ran = true";
      style.textContent = "main { color: red }";
      image.src = "https://192.0.2.1/seen.png";
      image.onerror = resolve;
      document.body.append(script, style, image);
    })`);
    assertEquals(await page.evaluate("globalThis.ran"), undefined);
    assertEquals(watch.said.length, 3);
    for (const said of watch.said) assertStringIncludes(said, "Content Security Policy");
    await page.close();
  },
});

test("opens the ladder of a row, from both ends, with its numbers and the checks", async (page) => {
  const row = page.locator(".handshakes tr.is-established").first();
  await row.click();
  assertMatch(await row.locator("td").nth(5).innerText(), /^.+\/\d+ -> .+\/\d+$/);
  const views = page.locator(".story .view");
  assertEquals(await views.count(), 3);
  assertEquals(await views.locator("h3 small").allTextContents(), [
    "told by web1 and db<1> together",
    "told by web1, the client",
    "told by db<1>, the server",
  ]);
  const first = views.first();
  const labels = await first.locator(".ladder text").allTextContents();
  assert(labels.some((label) => /^\[SYN\] Seq=0x[0-9a-f]{8} \(0\)$/.test(label)), labels.join("|"));
  assert(labels.some((label) => /^\[SYN, ACK\] Seq=0x[0-9a-f]{8} \(0\)/.test(label)));
  assertEquals(await first.locator(".checks .good").count(), 3);
  assertEquals(hashOf(page), `#open=${await row.getAttribute("data-row")}`);
  await row.click();
  assertEquals([await views.count(), hashOf(page)], [0, ""]);
});

test("sorts by a column, and the other way round", async (page) => {
  const heading = page.locator(".handshakes thead").getByRole("button", { name: "total" });
  await heading.click();
  assertEquals(await heading.locator("..").getAttribute("aria-sort"), "descending");
  const [slowest] = await columnOf(page, 10);
  await heading.click();
  assertEquals(await heading.locator("..").getAttribute("aria-sort"), "ascending");
  assertEquals([slowest, (await columnOf(page, 10))[0]], ["808 µs", "–"]);
  assertEquals(hashOf(page), "#sort=total");
});

test("filters while one types", async (page) => {
  await page.getByLabel("Filter").pressSequentially("timeout 5432");
  const outcomes = await columnOf(page, 3);
  assert(outcomes.length > 0 && outcomes.every((outcome) => outcome === "timeout"));
  // Both hosts tell each row, and the table names them once; the words of what each tells are found, too.
  await page.getByLabel("Filter").fill("db<1>, the server");
  const tellers = await columnOf(page, 2);
  assertEquals([...new Set(tellers)], ["web1 and db<1> together"]);
  await page.getByLabel("Filter").fill("no such row");
  assertEquals(await page.locator(".handshakes [role=status]").innerText(), "0 shown");
  assertEquals(hashOf(page), "#filter=no+such+row");
});

test("filters by a name that one chooses", async (page) => {
  await page.getByRole("button", { name: "ECONNREFUSED" }).first().click();
  assertEquals(new Set(await columnOf(page, 3)), new Set(["refused"]));
});

/** Drags over a part of what an element shows, from left to right. */
async function drag(page: Page, selector: string, from: number, to: number): Promise<void> {
  const element = page.locator(selector).first();
  await element.scrollIntoViewIfNeeded();
  const { x, y, width, height } = (await element.boundingBox())!;
  await page.mouse.move(x + from * width, y + height / 2);
  await page.mouse.down();
  await page.mouse.move(x + to * width, y + height / 2, { steps: 4 });
  await page.mouse.up();
}

for (const [chart, selector] of [["lines", ".u-over"], ["a heatmap", ".leg svg"]]) {
  test(`narrows everything to a time that is dragged over in ${chart}`, async (page) => {
    await drag(page, selector, 0.5, 0.75);
    const { handshakes } = await cardsOf(page);
    assert(handshakes > 100 && handshakes < 200, String(handshakes));
    const measured = await page.locator(".leg .numbers").first().innerText();
    assert(numberOf(/^([\d,]+) measured/.exec(measured)![1]) < handshakes, measured);
    const [first, last] = ["from", "to"].map((name) =>
      new URLSearchParams(hashOf(page).slice(1)).get(name)!.slice(11, 19)
    );
    const times = await columnOf(page, 1);
    assert(times.length > 10 && times.every((time) => time >= first && time < last));
    const shares = await page.getByRole("region", { name: "Failures by reason" }).locator(
      "td:nth-child(4)",
    )
      .allTextContents();
    const failed = shares.map(numberOf).reduce((sum, count) => sum + count);
    assertEquals(failed, handshakes - (await cardsOf(page)).established);
    for (const title of ["Servers", "Clients", "Processes"]) {
      const counts = await page.getByRole("region", { name: title }).locator("td:nth-child(2)")
        .allTextContents();
      assertEquals(counts.map(numberOf).reduce((sum, count) => sum + count), handshakes, title);
    }
    await page.getByRole("button", { name: "The whole time" }).click();
    assertEquals([(await cardsOf(page)).handshakes, hashOf(page)], [600, ""]);
  });
}

test("shows the same by a link", async (page) => {
  await drag(page, ".leg svg", 0.3, 0.6);
  await page.locator(".handshakes thead").getByRole("button", { name: "client", exact: true })
    .click();
  await page.getByLabel("Filter").fill("refused");
  await page.getByRole("button", { name: "Local time" }).click();
  await page.locator(".handshakes tbody tr").nth(1).click();
  const { page: other } = await browser.open(PAGE, hashOf(page));
  assertEquals(await other.locator("main").innerText(), await page.locator("main").innerText());
  assertEquals(await other.locator(".story .ladder").count(), 3);
  await other.close();
});

test("follows the address", async (page) => {
  const at = await page.locator(".handshakes tr.is-timeout").first().getAttribute("data-row");
  await page.evaluate(`location.hash = "#filter=timeout&open=${at}"`);
  await page.locator(".story .ladder").first().waitFor();
  assertEquals(new Set(await columnOf(page, 3)), new Set(["timeout"]));
});

test("tells times in UTC, and in the time of who looks where asked to", async (page) => {
  assertMatch((await columnOf(page, 1))[0], /^08:00:\d\d\.0000\d\d$/);
  await page.getByRole("button", { name: "Local time" }).click();
  assertMatch((await columnOf(page, 1))[0], /^13:30:\d\d\.0000\d\d$/);
  assertStringIncludes(await page.locator("#shown-time").innerText(), "2026-11-23 13:30:00.000 to");
});

test("is used with the keyboard alone", async (page) => {
  await page.locator(".handshakes tbody tr button").first().focus();
  await page.keyboard.press("Enter");
  assertEquals(await page.locator(".story").count(), 1);
  const isFocused = await page.locator(".handshakes tbody tr button").first()
    .evaluate((button) => button === button.ownerDocument.activeElement);
  assert(isFocused);
  await page.getByRole("slider", { name: "Time, to" }).focus();
  for (let step = 0; step < 3; step++) await page.keyboard.press("ArrowLeft");
  assertStringIncludes(hashOf(page), "to=2026-11-23T08%3A09%3A");
  await page.locator(".handshakes thead button").last().focus();
  await page.keyboard.press("Enter");
  assertEquals(await page.evaluate("document.activeElement.dataset.column"), "total");
});

test("has dark colours where one prefers them", async (page) => {
  const background = "getComputedStyle(document.body).backgroundColor";
  const light = await page.evaluate<string>(background);
  await page.emulateMedia({ colorScheme: "dark" });
  assertEquals([light, await page.evaluate(background)], ["rgb(255, 255, 255)", "rgb(13, 17, 23)"]);
});

test("is printed on A4 without what one could click", async (page) => {
  const paper = await page.pdf({ preferCSSPageSize: true });
  assertEquals(new TextDecoder().decode(paper.slice(0, 5)), "%PDF-");
  await page.emulateMedia({ media: "print" });
  assertEquals(await page.getByRole("button", { name: "The whole time" }).isVisible(), false);
  // As many rows as the paper says.
  assertStringIncludes(await page.locator(".handshakes").innerText(), "100 of 293 shown");
  assertEquals(await page.locator(".handshakes tbody tr:visible").count(), 100);
});

Deno.test({
  name: "report page: has its numbers without its script, too",
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    await using plain = await Browser.start(false);
    const { page, watch } = await plain.open(PAGE);
    assertEquals(await page.getByRole("heading").allTextContents(), ["TCP handshakes"]);
    assertStringIncludes(await page.locator(".facts").innerText(), "web1 (600)");
    const numbers = await page.locator("pre").innerText();
    assertMatch(numbers, /^600 handshakes in /);
    for (const name of HOSTILE_NAMES) {
      assertStringIncludes(numbers, name.replace("\u202e", "\\u{202e}"));
    }
    assertEquals(await page.locator("img, iframe, svg, b, [onload], [onerror]").count(), 0);
    assertEquals(watch, { requests: [], said: [] });
  },
});

test("fits a phone: what is wider scrolls in itself", async (page) => {
  for (const width of [360, 320]) {
    await page.setViewportSize({ width, height: 740 });
    await page.evaluate(
      "new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)))",
    );
    const { scrollWidth } = await page.evaluate<{ scrollWidth: number }>(
      "({ scrollWidth: document.documentElement.scrollWidth })",
    );
    assertEquals(scrollWidth, width);
  }
}, "#open=4");

for (const colorScheme of ["light", "dark"] as const) {
  test(`has nothing serious that keeps others from using it, ${colorScheme}`, async (page) => {
    await page.emulateMedia({ colorScheme });
    await page.evaluate(axe.source);
    const found = await page.evaluate<string[]>(`axe.run().then(({ violations }) => violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .flatMap(({ id, nodes }) => nodes.map(({ html }) => id + " " + html)))`);
    assertEquals(found, []);
  }, "#open=2&from=2026-11-23T08:00:00Z&to=2026-11-23T08:05:00Z");
}

test(
  "says first what is missing",
  async (page) => {
    const sentences = await page.locator(".missing li").allTextContents();
    assertEquals(sentences.map((sentence) => sentence.slice(0, 30)), [
      "Lost: 1 line of NDJSON that is",
      "web1: in 1 of 1 status line th",
      "The clock of db1 is about 5.00",
    ]);
  },
  "",
  ODD_PAGE,
);

test(
  "opens whatever the times are, and whoever told them",
  async (page) => {
    assertEquals((await cardsOf(page)).handshakes, 3);
    assertStringIncludes(await page.locator("#shown-time").innerText(), " to +275760-");
    await page.getByRole("button", { name: "Local time" }).click();
    await drag(page, ".u-over", 0.6, 0.9);
  },
  "#from=-271821-04-20T00:00:00Z&to=nothing&open=999999",
  EXTREME_PAGE,
);

// What who does not see it is told, line by line: of the structure, not of pixels. After a change that is
// meant: deno test -A tests/browser -- --update
test(
  "has the structure that it had",
  async (page) => {
    const path = new URL("../golden/report.page.yml", import.meta.url);
    const structure = `${await page.locator("main").ariaSnapshot()}\n`;
    if (UPDATE) await Deno.writeTextFile(path, structure);
    assertEquals(structure, await Deno.readTextFile(path));
  },
  "#open=0",
  ODD_PAGE,
);

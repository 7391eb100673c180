/**
 * The distribution's Chromium, without a screen.
 *
 * @module
 */
import { type BrowserContext, chromium, type Page } from "playwright-core";
import { findExecutable } from "../../src/linux/host.ts";

/** What it is called on one distribution or another. */
const NAMES = ["chromium", "chromium-browser"];

/** It runs as root in a container, alone, and talks to nobody. */
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-dev-shm-usage",
];

/** Where it is; undefined where there is none. */
function findChromium(): string | undefined {
  return NAMES.map((name) => findExecutable(name)).find((path) => path !== undefined);
}

/** Why no browser can be run here; undefined where one can. */
export function noBrowser(): Promise<string | undefined> {
  const reason = findChromium() === undefined
    ? 'no "chromium" (package chromium), or it cannot be installed here'
    : undefined;
  return Promise.resolve(reason);
}

/** What a page did that it must not. */
export interface Watch {
  /** Addresses that it asked for, its own and those of data apart. */
  requests: string[];
  /** What it said on the console, and errors that nobody caught. */
  said: string[];
}

/** A browser for the time of a test, with an empty profile of its own. */
export class Browser implements AsyncDisposable {
  readonly #context: BrowserContext;
  readonly #folder: string;

  private constructor(context: BrowserContext, folder: string) {
    this.#context = context;
    this.#folder = folder;
  }

  /**
   * Starts it, on a screen of 1280 by 900, in a time zone half an hour from all whole ones.
   *
   * @param runsScripts Whether pages may run theirs.
   */
  static async start(runsScripts = true): Promise<Browser> {
    const folder = await Deno.makeTempDir({ prefix: "synsnoop-browser-" });
    const context = await chromium.launchPersistentContext(folder, {
      executablePath: findChromium(),
      headless: true,
      args: FLAGS,
      viewport: { width: 1280, height: 900 },
      timezoneId: "Asia/Kolkata",
      colorScheme: "light",
      offline: true,
      javaScriptEnabled: runsScripts,
    });
    context.setDefaultTimeout(10_000);
    return new Browser(context, folder);
  }

  /** Opens a file. @param hash What stands behind the # of its address. */
  async open(path: string, hash = ""): Promise<{ page: Page; watch: Watch }> {
    const page = await this.#context.newPage();
    const address = `file://${path}${hash}`;
    const watch: Watch = { requests: [], said: [] };
    page.on("request", (request) => {
      const url = request.url();
      if (!url.startsWith("data:") && url.split("#")[0] !== address.split("#")[0]) {
        watch.requests.push(url);
      }
    });
    // A violation of its policy is told there, too.
    page.on("console", (message) => watch.said.push(message.text()));
    page.on("pageerror", (error) => watch.said.push(String(error)));
    await page.goto(address);
    return { page, watch };
  }

  /** Ends it and removes its profile. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#context.close();
    await Deno.remove(this.#folder, { recursive: true });
  }
}

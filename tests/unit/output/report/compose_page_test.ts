import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { composePage } from "../../../../src/output/report/compose_page.ts";
import type { PageData } from "../../../../src/output/report/page_data.ts";
import uPlot from "../../../../src/output/report/uplot/uPlot.iife.min.js" with { type: "text" };
import licence from "../../../../src/output/report/uplot/LICENSE" with { type: "text" };
import styles from "../../../../src/output/report/uplot/uPlot.min.css" with { type: "text" };

const SHOWN = {
  missing: ["1 line is <b>no record</b>"],
  about: [["hosts", "</noscript><script>alert(2)</script>"]],
  texts: ["</script><script>alert(1)</script>", "<!--"],
};
const DATA = { ...SHOWN, statistics: "SERVER\n<img src=x> & co" } as unknown as PageData;

async function sha256(text: string): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return new Uint8Array(hash).toBase64();
}

Deno.test("composePage lets nothing run but its own scripts and styles", async () => {
  const page = await composePage(DATA);
  const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(page)![1];
  const scripts = [...page.matchAll(/<script>(.*?)<\/script>/gs)].map(([, text]) => text);
  const [style] = [...page.matchAll(/<style>(.*?)<\/style>/gs)].map(([, text]) => text);
  assertEquals(scripts.length, 2);
  const hashes = await Promise.all(scripts.map(sha256));
  assertEquals(policy.split("; "), [
    "default-src 'none'",
    `script-src ${hashes.map((hash) => `'sha256-${hash}'`).join(" ")}`,
    `style-src 'sha256-${await sha256(style)}'`,
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
  ]);
});

Deno.test("composePage has its data as JSON in which nothing ends the script", async () => {
  const page = await composePage(DATA);
  const text = /<script type="application\/json" id="data">(.*?)<\/script>/s.exec(page)![1];
  assertEquals(JSON.parse(text), SHOWN);
  assert(!text.includes("<"));
  assertStringIncludes(page, licence.split("\n")[2]);
});

Deno.test("composePage shows who runs no script what is known, as text", async () => {
  const page = await composePage(DATA);
  const [, plain] = /<noscript>(.*?)<\/noscript>/s.exec(page)!;
  assertStringIncludes(plain, "<li>1 line is &lt;b&gt;no record&lt;/b&gt;</li>");
  assertStringIncludes(
    plain,
    "<dt>hosts</dt><dd>&lt;/noscript&gt;&lt;script&gt;alert(2)&lt;/script&gt;</dd>",
  );
  assertStringIncludes(plain, "<pre>SERVER\n&lt;img src=x&gt; &amp; co</pre>");
});

Deno.test("composePage asks for nothing from elsewhere, and evaluates no text", async () => {
  const page = await composePage(DATA);
  const own = page.replaceAll(/https?:\/\/(?:github\.com\/leeoniya|www\.w3\.org)\/[\w./]*/g, "");
  for (
    const word of [/\bhttps?:/, /\beval\(/, /\bnew Function\b/, /\bfetch\(/, /@import\s/, /\burl\(/]
  ) {
    assertEquals(word.exec(own.replaceAll(/\/\*\*.*?\*\//gs, "")), null, String(word));
  }
});

// The files as they are in the package uplot 1.6.32, whose integrity in the registry is
// sha512-KIMVnG68zvu5XXUbC4LQEPnhwOxBuLyW1AHtpm6IKTXImkbLgkMy+jabjLgSLMasNuGGzQm/ep3tOkyTxpiQIw==.
const VENDORED = [
  ["uPlot.iife.min.js", uPlot, "GcjUxq2Ikpp59K5J1vcWFWbf0Lo9FcxJXpdPeH63jx8="],
  ["uPlot.min.css", styles, "32MMao1vjur/JktQ9zzlsRT2Rv/ZoLt08EmwoAE1+gQ="],
  ["LICENSE", licence, "j5iSKWmbT+LxoEMtDp7cM4qKkR4lDi0bAezXcKX1sb0="],
];

for (const [name, text, hash] of VENDORED) {
  Deno.test(`uplot/${name} is as it was published`, async () => {
    assertEquals(await sha256(text), hash);
  });
}

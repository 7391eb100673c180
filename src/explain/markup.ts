/**
 * Plain text inside of XML and Markdown, where it must mean nothing but itself.
 *
 * @module
 */

const XML: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
};

/** Escapes text for XML: its content and quoted attributes. Control characters are the caller's. */
export function escapeXml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => XML[character]);
}

/**
 * Escapes text for the inside of a line of Markdown: no emphasis, link, code, HTML, table cell, formula
 * or mention comes of it, and no address turns into a link of itself.
 */
export function escapeMarkdown(text: string): string {
  return text
    .replace(/[\\`*_{}[\]<>#|~&!$@]/g, "\\$&")
    .replace(/:(?=\/\/)|(?<=www)\./gi, "\\$&");
}

/** Encloses lines of text in a code block whose fence is longer than any inside. */
export function fence(text: string): string {
  const runs = text.match(/`+/g) ?? [];
  const marks = "`".repeat(Math.max(3, ...runs.map(({ length }) => length + 1)));
  return `${marks}text\n${text}${marks}`;
}

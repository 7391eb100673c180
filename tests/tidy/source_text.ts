/** A source file with parts blanked out; line breaks stay, so that line numbers do too. */
export interface SourceText {
  /** Without comments. */
  readonly uncommented: string;
  /** Without comments and without the text of strings, templates and regular expressions. */
  readonly code: string;
}

/** What may stand before a `/` that begins a regular expression and does not divide. */
const BEFORE_REGEXP = /(?:^|[(,=:[!&|?{};+*%<>~^-]|\b(?:return|typeof|case|in|of|await|yield))\s*$/;

/**
 * Blanks out what is not code in a TypeScript file. It knows comments, strings, templates with
 * nested code, and regular expressions well enough for the checks here; it is no parser.
 *
 * @param text The file.
 * @returns The file in two forms, each as long as the text.
 */
export function stripSource(text: string): SourceText {
  let uncommented = "";
  let code = "";
  let at = 0;
  /** The depth of braces at which each open template goes on. */
  const templates: number[] = [];
  let depth = 0;

  const blank = (part: string) => part.replace(/[^\n]/g, " ");
  const take = (length: number, kind: "code" | "text" | "comment") => {
    const part = text.slice(at, at + length);
    uncommented += kind === "comment" ? blank(part) : part;
    code += kind === "code" ? part : blank(part);
    at += length;
  };
  /** The length of what `pattern` matches here, or what is left of the file. */
  const lengthOf = (pattern: RegExp) => {
    pattern.lastIndex = at;
    return pattern.exec(text)?.[0].length ?? text.length - at;
  };
  const template = () => {
    take(lengthOf(/(?:[^`\\$]|\\[^]|\$(?!\{))*/y), "text");
    if (text.startsWith("${", at)) {
      templates.push(depth);
      take(2, "code");
    } else take(1, "code");
  };

  while (at < text.length) {
    const char = text[at];
    const two = text.slice(at, at + 2);
    if (two === "//") take(lengthOf(/[^\n]*/y), "comment");
    else if (two === "/*") take(lengthOf(/\/\*[^]*?\*\//y), "comment");
    else if (char === '"' || char === "'") {
      take(1, "code");
      take(lengthOf(char === '"' ? /(?:[^"\\\n]|\\[^])*/y : /(?:[^'\\\n]|\\[^])*/y), "text");
      take(1, "code");
    } else if (char === "`") {
      take(1, "code");
      template();
    } else if (char === "}" && templates.at(-1) === depth) {
      templates.pop();
      take(1, "code");
      template();
    } else if (char === "/" && BEFORE_REGEXP.test(code)) {
      take(lengthOf(/\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])*\/\w*/y), "text");
    } else {
      if (char === "{") depth++;
      if (char === "}") depth--;
      take(1, "code");
    }
  }
  return { uncommented, code };
}

/**
 * What a file imports or re-exports, as it is written there, dynamic imports of literals included.
 *
 * @param options `types`: whether that includes imports of types alone, of which nothing is loaded.
 */
export function importsOf(text: string, { types = true } = {}): string[] {
  const { uncommented, code } = stripSource(text);
  const found: string[] = [];
  const statement = /\b(?:import|export)\b[^;"'`()]*?\bfrom\s*"|\bimport\s*\(?\s*"/g;
  for (const match of code.matchAll(statement)) {
    const isOfType = /^(?:im|ex)port\s+type\b/.test(match[0]) ||
      /\btypeof\s+$/.test(code.slice(0, match.index));
    if (isOfType && !types) continue;
    const start = match.index + match[0].length;
    found.push(uncommented.slice(start, code.indexOf('"', start)));
  }
  return found;
}

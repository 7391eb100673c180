/** What stands between two modules that are one script now: names, and what each is. */
const SHARED = "$shared";

/** An import of names from a neighbour, and an export of something that has a name. */
const IMPORT = /^import \{([^}]*)\} from "\.[^"]*";\n/gm;
const EXPORT = /^export (?=(?:async )?(?:function|class|const) (\w+))/gm;
const UNKNOWN = /^(?:import|export)\b.*$/m;

/**
 * Makes one classic script of modules that import names from each other: each in a block of its own, so
 * that what one has for itself is hidden from the others.
 *
 * @param modules Their texts, each behind those that it imports.
 * @throws {Error} One imports or exports in another way.
 */
export function joinScripts(modules: readonly string[]): string {
  const blocks = modules.map((module) => {
    const exported = [...module.matchAll(EXPORT)].map(([, name]) => name);
    const body = module
      .replace(
        IMPORT,
        (_, names: string) => `const {${names.replaceAll(" as ", ": ")}} = ${SHARED};\n`,
      )
      .replace(EXPORT, "");
    const unknown = UNKNOWN.exec(body)?.[0];
    if (unknown !== undefined) {
      throw new Error(`Cannot join scripts: "${unknown}" is not known here`);
    }
    const hand = exported.length === 0
      ? ""
      : `Object.assign(${SHARED}, { ${exported.join(", ")} });\n`;
    return `{\n${body}${hand}}\n`;
  });
  return `"use strict";\n(() => {\nconst ${SHARED} = {};\n${blocks.join("")}})();\n`;
}

import { assertEquals, assertThrows } from "@std/assert";
import { joinScripts } from "../../../../src/output/report/join_scripts.ts";

/** Runs a joined script. @returns What it put into `told`. */
function run(...modules: string[]): unknown[] {
  const told: unknown[] = [];
  new Function("told", joinScripts(modules))(told);
  return told;
}

Deno.test("joinScripts hands on what modules export, under the names that they are imported by", () => {
  const one =
    "const own = 1;\nexport function add(n) {\n  return own + n;\n}\nexport const TWO = 2;\n";
  const other =
    'import { add, TWO as two } from "./one.js";\nconst own = 5;\ntold.push(add(own), two);\n';
  assertEquals(run(one, other), [6, 2]);
});

Deno.test("joinScripts takes classes, and imports over several lines", () => {
  const one = "export class Three {\n  value = 3;\n}\n";
  const other = 'import {\n  Three,\n} from "../far/three.js";\ntold.push(new Three().value);\n';
  assertEquals(run(one, other), [3]);
});

Deno.test("joinScripts refuses what it does not know", () => {
  for (const line of ["export default 5;", 'import "./x.js";', 'export * from "./x.js";']) {
    assertThrows(() => joinScripts([line + "\n"]), Error, line);
  }
});

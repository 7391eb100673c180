import { assertEquals } from "@std/assert";
import { lateModules, withHere } from "../../../src/install/bundle.ts";
import { COMMANDS } from "../../../src/cli/commands.ts";

const MODULES = new Map([
  ["src/files/input.ts", `import(\n  import.meta.resolve("./decompress.ts")\n)`],
  ["src/files/decompress.ts", ""],
  [
    "src/cli/outputs.ts",
    `await import(import.meta.resolve("../files/open_output.ts")); download("./none.ts")`,
  ],
  ["src/files/open_output.ts", `import "./decompress.ts";`],
  ["src/store/keeper.ts", `new Worker(import.meta.resolve("./seal_worker.ts"))`],
  ["src/store/seal_worker.ts", `import.meta.resolve("../../deno.json")`],
]);

Deno.test("lateModules are the commands and what others load by its path", () => {
  assertEquals(
    lateModules(MODULES),
    [
      ...COMMANDS.map(([name]) => `src/cli/${name}.ts`),
      ...["src/files/decompress.ts", "src/files/open_output.ts", "src/store/seal_worker.ts"],
    ].sort(),
  );
});

Deno.test("withHere leaves a module alone that does not ask where it is", () => {
  for (const text of [`import "./a.ts";`, `if (import.meta.main) run();`, ""]) {
    assertEquals(withHere("src/cli/x.ts", text), text);
  }
});

Deno.test("withHere has a module ask for where its source is", () => {
  assertEquals(
    withHere("src/cli/x.ts", `new URL("../a", import.meta.url);\nimport.meta.resolve("./b.ts");\n`),
    `import { here } from "../../here.ts";\n` +
      `new URL("../a", here("src/cli/x.ts").url);\nhere("src/cli/x.ts").resolve("./b.ts");\n`,
  );
});

// Every function of this DuckDB, asked for what it must not do.
import { assert, assertEquals, assertGreater } from "@std/assert";
import { Database, SqlError } from "../../src/store/query/duckdb.ts";
import { Folder } from "../folder.ts";

const SECRET = "canary-of-a-file";

/** A value for a parameter, by its type: where that can be a path, one. */
function argument(type: string, path: string): string {
  if (type === "VARCHAR[]") return `['${path}']`;
  if (/VARCHAR|ANY|^T$|NULL/.test(type)) return `'${path}'`;
  if (type === "BLOB") return `'${path}'::BLOB`;
  if (type === "BOOLEAN") return "true";
  return /INT|DOUBLE|FLOAT|DECIMAL/.test(type) ? "1" : "NULL";
}

Deno.test("no function of DuckDB reads a file, makes one, or changes a setting", async () => {
  using folder = new Folder();
  const [secret, made] = [folder.write("secret", SECRET), `${folder.path}/made`];
  const spilled = `${folder.path}/spilled`;
  Deno.mkdirSync(spilled);
  using database = await Database.open({ memoryBytes: 512e6, folder: spilled });
  await database.shutIn([]);
  const settings = async () =>
    (await database.ask("SELECT name, value FROM duckdb_settings() ORDER BY name")).values;
  const before = await settings();
  const { values: functions } = await database.ask(
    "SELECT function_name, starts_with(function_type, 'table'), parameter_types " +
      "FROM duckdb_functions() WHERE function_type <> 'aggregate' AND function_name <> 'sleep_ms'",
  );
  assertGreater(functions.length, 1_000);

  let answers = 0;
  for (const [name, isTable, types] of functions as [string, boolean, string[] | null][]) {
    const quoted = `"${name.replaceAll('"', '""')}"`;
    const given = (types ?? []).map((type) => argument(type, secret)).join();
    const calls = new Set([given, `'${secret}'`, ...isTable ? ["", `'${made}','${made}'`] : []]);
    for (const args of calls) {
      const call = `${quoted}(${args})`;
      const sql = isTable ? `SELECT * FROM ${call} LIMIT 5` : `SELECT ${call}`;
      const answer = await database.ask(sql, true).catch((error) => {
        assert(error instanceof SqlError, `${call}: ${error}`);
      });
      if (answer === undefined) continue;
      answers++;
      assert(!JSON.stringify(answer.values).includes(SECRET), call);
    }
    // Of a table function each, since it may do more than answer.
    if (isTable) assertEquals(await settings(), before, name);
  }
  assertGreater(answers, 500);
  assertEquals(await settings(), before);
  assertEquals([...Deno.readDirSync(folder.path)].map(({ name }) => name).sort(), [
    "secret",
    "spilled",
  ]);
  assertEquals([...Deno.readDirSync(spilled)].length, 0);
});

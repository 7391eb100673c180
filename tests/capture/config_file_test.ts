// Configuration files as trace takes them, and as Python's reader of TOML understands them.
// Covers src/cli/process/config_text.ts
import { assertEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { parseConfig } from "../../src/cli/flags/config_file.ts";
import { Folder } from "../folder.ts";
import { skippableTest } from "../netns/namespace.ts";

const MAIN = new URL("../../src/main.ts", import.meta.url).pathname;
const TEXTS = 2_000;

/** What trace says to a command line that it refuses. */
function traceRefuses(...args: string[]): { said: string; status: number } {
  const { code, stderr } = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "-A", MAIN, "trace", ...args],
    stdin: "null",
    env: { LC_ALL: "C.UTF-8" },
  }).outputSync();
  return { said: new TextDecoder().decode(stderr), status: code };
}

Deno.test("trace refuses a configuration file by file and line, with status 2", async (t) => {
  using folder = new Folder();
  const path = `${folder.path}/synsnoop.toml`;
  for (
    const { bytes, said } of [
      {
        bytes: "[trace]\nprot = 443\n",
        said: `synsnoop: Cannot use "${path}", line 2: unknown key "prot": did you mean port?\n`,
      },
      {
        bytes: '[trace]\nport = 443\nduration = "soon"\n',
        said: `synsnoop: Cannot use "${path}", line 3: Cannot use --duration "soon"`,
      },
      {
        // What is there only when it starts.
        bytes: '[trace]\ninterface = "none0"\n',
        said: `synsnoop: Cannot use "${path}", line 2: `,
      },
      {
        bytes: Uint8Array.of(0x5b, 0xff),
        said: `synsnoop: Cannot use --config "${path}": it is no UTF-8\n`,
      },
      {
        bytes: "[trace]\n\u001b[31m = 1\n",
        said: `synsnoop: Cannot use "${path}", line 2: at \\u{1b}[31m = 1: give a key`,
      },
    ]
  ) {
    await t.step(said.slice(said.indexOf(path) + path.length + 3), () => {
      Deno.writeFileSync(
        path,
        typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes,
      );
      const refusal = traceRefuses("--config", path);
      assertStringIncludes(refusal.said, said);
      assertEquals(refusal.status, 2);
    });
  }
  await t.step("a file that is not there, a folder, a device", () => {
    for (
      const { name, reason } of [
        { name: `${folder.path}/none`, reason: "there is no such file" },
        { name: folder.path, reason: "it is no regular file" },
        { name: "/dev/zero", reason: "it is no regular file" },
      ]
    ) {
      const { said, status } = traceRefuses("--config", name);
      assertEquals([said, status], [`synsnoop: Cannot use --config "${name}": ${reason}\n`, 2]);
    }
  });
});

/** Reads texts as TOML. @returns For each its tables, or null where it is none. */
const READ_TOML = `
import json, sys, tomllib
def read(text):
    try: return tomllib.loads(text)
    except tomllib.TOMLDecodeError: return None
json.dump([read(text) for text in json.load(sys.stdin)], sys.stdout)
`;

function python(program: string, input = ""): Promise<Deno.CommandOutput> {
  const child = new Deno.Command("python3", {
    args: ["-c", program],
    ...{ stdin: "piped", stdout: "piped", stderr: "null" },
  }).spawn();
  const feeding = new Blob([input]).stream().pipeTo(child.stdin);
  return Promise.all([child.output(), feeding]).then(([output]) => output);
}

async function reasonAgainstPython(): Promise<string | undefined> {
  try {
    return (await python("import tomllib")).success ? undefined : "this python3 reads no TOML";
  } catch {
    return 'no "python3"';
  }
}

skippableTest(
  "what parseConfig takes means the same in TOML",
  await reasonAgainstPython(),
  async () => {
    const piece = fc.constantFrom(
      ...["[t]\n", "[u]\n", "\na=", "\nb = ", "\n", "1", "-0.5", "+7", "007", "true", "false"],
      ...['"x"', "'y'", '"\\t\\u00e4"', '"\\x"', "[", "]", ",", "#c", " ", '"', "'", "\\", "="],
      ...["\r\n", "é", "1_0", "yes", '""'],
    );
    const line = fc.tuple(piece, piece, piece).map((parts) => parts.join(""));
    const texts = fc.sample(
      fc.array(fc.oneof(piece, line), { maxLength: 8 }).map((parts) => "[t]\n" + parts.join("")),
      TEXTS,
    );
    const { stdout } = await python(READ_TOML, JSON.stringify(texts));
    const expected: (Record<string, Record<string, unknown>> | null)[] = JSON.parse(
      new TextDecoder().decode(stdout),
    );
    let taken = 0;
    for (const [at, text] of texts.entries()) {
      const tables: Record<string, Record<string, unknown>> = {};
      try {
        for (const { table, key, value } of parseConfig(text)) {
          (tables[table] ??= {})[key] = value;
        }
      } catch {
        continue;
      }
      const theirs = Object.entries(expected[at] ?? { refused: { by: "Python" } });
      const withKeys = theirs.filter(([, table]) => Object.keys(table).length > 0);
      assertEquals(tables, Object.fromEntries(withKeys), JSON.stringify(text));
      taken++;
    }
    // Neither all nor nothing: the comparison would be none.
    assertEquals([taken > TEXTS / 20, taken < TEXTS], [true, true], `${taken} of ${TEXTS} taken`);
  },
);

// trace --report: the page of what happened on this host.
import { assert, assertEquals, assertMatch } from "@std/assert";
import type { PageData } from "../../src/output/report/page_data.ts";
import { compileC } from "./compile.ts";
import { Namespace, namespaceTest } from "./namespace.ts";
import { MAIN, Tracer } from "./tracer.ts";

const PORT = 4433;
const OURS = ["--json", "--host", "127.0.0.1", "--port", String(PORT)];
const folder = await Deno.makeTempDir({ prefix: "synsnoop-report-" });
globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
const connectLoad = await compileC(new URL("connect_load.c", import.meta.url), folder);

function dataOf(page: string): PageData {
  return JSON.parse(/<script type="application\/json" id="data">(.*?)<\/script>/s.exec(page)![1]);
}

await namespaceTest(
  "trace --report makes a page of what its records tell, by their packets",
  async () => {
    await using namespace = await Namespace.create();
    const page = `${folder}/page.html`;
    const tracer = await Tracer.ready(namespace, [...OURS, "--report", page]);
    await namespace.run(connectLoad, "127.0.0.1", String(PORT), "200");
    await tracer.wrote(200);
    const { records, status } = await tracer.stop();
    assertEquals(status.code, 0);
    const data = dataOf(await Deno.readTextFile(page));
    assertEquals([data.handshakes, records.length, data.missing], [200, 200, []]);
    const { texts, rows } = data;
    assert(rows.length >= 150);
    for (const { views: [view], who, network } of rows) {
      const labels = view.ladder.map(([, , , , , , label]) => texts[label]);
      // Of packets: a record does not know the numbers of the ACK.
      assert(
        labels.some((label) =>
          /^\[ACK\] Seq=0x[0-9a-f]{8} \(1\) Ack=0x[0-9a-f]{8} \(1\)$/.test(label)
        ),
      );
      assertMatch(texts[who], /^connect_load\/\d+ -> connect_load\/\d+$/);
      assert(network > 0);
    }
    const traced = data.about.filter(([name]) => name === "traced").map(([, text]) => text);
    assertEquals(traced.length, 1);
    assertMatch(traced[0], /: only --port 4433 --host 127\.0\.0\.1, kernel events by \w+$/);
  },
);

await namespaceTest(
  "trace --report refuses a page that is there, and writes none of nothing",
  async () => {
    await using namespace = await Namespace.create();
    const page = `${folder}/other.html`;
    const none = await Tracer.start(namespace, [...OURS, "--probes", "none", "--report", page]);
    const { status, stderr } = await none.stop();
    assertEquals(status.code, 0);
    assertEquals(stderr.at(-1), `synsnoop: no handshake came: "${page}" is not written`);
    assertEquals([...Deno.readDirSync(folder)].filter(({ name }) => name.startsWith("other")), []);
    await Deno.writeTextFile(page, "kept");
    const refused = namespace.spawn(
      [Deno.execPath(), "run", "-A", "--quiet", MAIN, "trace", "--report", page],
      { stdout: "null", stderr: "piped" },
    );
    const { code, stderr: said } = await refused.output();
    assertEquals([code, new TextDecoder().decode(said)], [
      2,
      `synsnoop: Cannot use --report "${page}": it exists already; give --force to replace it, or another file\n`,
    ]);
    assertEquals(await Deno.readTextFile(page), "kept");
  },
);

/** What a web server loses of its requests when each is a connection of its own. */
import { findExecutable } from "../../../src/linux/host.ts";
import { Namespace, until } from "../../netns/namespace.ts";
import { compare, shareFigures } from "../compare.ts";
import type { Row } from "../row.ts";
import { EMPTY_PROBE, SCRIPT_ALONE, tcpdump, trace } from "../watchers.ts";

const PORT = 8480;
const ONLY = ["--port", String(PORT)];

/** nginx with one worker, asked by wrk, a new connection for each request. */
export const http: Row = {
  name: "http",
  title: "Requests a second of nginx, a new connection each (wrk, 16 at once, loopback)",
  needs: ["nginx", "wrk"],
  async measure(bench) {
    await using namespace = await Namespace.create();
    const folder = await Deno.makeTempDir({ dir: bench.folder });
    await Deno.writeTextFile(`${folder}/nginx.conf`, configuration(folder));
    const nginx = findExecutable("nginx")!;
    namespace.spawn([nginx, "-c", `${folder}/nginx.conf`, "-p", folder, "-e", `${folder}/error`], {
      stdout: "null",
      stderr: "null",
    });
    await until(
      "nginx serves",
      async () => (await namespace.run("ss", "-Hltn", `sport = :${PORT}`)) !== "",
    );
    const seconds = bench.either(2, 1);
    const watchers = bench.some([
      trace("`trace`", ONLY),
      trace("`trace --probes none`", [...ONLY, "--probes", "none"]),
      SCRIPT_ALONE,
      EMPTY_PROBE,
      tcpdump("lo"),
    ]);
    const [rate] = await compare(bench, namespace, watchers, bench.either(3, 1), async () => {
      const said = await namespace.run(
        ...["wrk", "-t1", "-c16", `-d${seconds}s`, "-H", "Connection: close"],
        `http://127.0.0.1:${PORT}/`,
      );
      return [Number(/Requests\/sec:\s+([\d.]+)/.exec(said)![1])] as const;
    });
    return shareFigures(rate, { unit: "requests/s", aims: { "`trace`": 0.95 } });
  },
};

function configuration(folder: string): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${folder}/${name};`).join(" ");
  return `daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/error;
events { worker_connections 512; }
http { access_log off; ${temporary}
  server { listen 127.0.0.1:${PORT} backlog=4096; location / { return 200 "hello\\n"; } } }
`;
}

// The ten commands of src/store/ship/README.md, as they stand there, on three hosts of systemd with Debian's
// ClickHouse: what they tell is what happened.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { buildPackage, NO_DPKG } from "../capture/built_package.ts";
import { findClickHouse } from "../clickhouse_fleet.ts";
import { Folder } from "../folder.ts";
import { Namespace, reasonAgainstNamespaces, skippableTest, until } from "./namespace.ts";
import { reasonAgainstHosts, SystemdHost } from "./systemd_host.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const DOCUMENT = `${ROOT}src/store/ship/README.md`;
const HEADING = "## A fleet of three, in ten commands\n";
/** Where a host sees what was unpacked: who runs it may not look into the home of root. */
const UNPACKED = "/opt/clickhouse";
const SUITE = "bookworm";
const NAMES = ["ch1", "ch2", "ch3"] as const;
const [ESTABLISHED, REFUSED, LOST, TRANSLATED] = [200, 50, 20, 30];
/** Ports of ch2 with a server, without one and behind a filter; and one that ch3 translates to the first. */
const [SERVED, CLOSED, FILTERED, FORWARDED] = [47_121, 47_122, 47_123, 47_124];

const found = await findClickHouse();
const reason = await reasonAgainstNamespaces() ?? await reasonAgainstHosts() ?? NO_DPKG ??
  (typeof found === "string" ? found : undefined);

/** The commands by their numbers, and the configuration that the first installs. */
function readDocument(): { commands: string[]; configuration: string } {
  const text = Deno.readTextFileSync(DOCUMENT);
  const [section] = text.slice(text.indexOf(HEADING) + HEADING.length).split("\n## ");
  const blocks = (language: string) =>
    Array.from(
      section.matchAll(new RegExp(`\`\`\`${language}\\n(.*?)\`\`\``, "gs")),
      ([, it]) => it,
    );
  const lines = blocks("sh").flatMap((block) => block.trimEnd().split("\n"));
  const commands = lines.map((line, at) => {
    const [, command, number] = /^(.*\S) +# (\d+)(?:: .*)?$/.exec(line)!;
    assertEquals(Number(number), at + 1);
    return command;
  });
  const [configuration] = blocks("xml");
  return { commands, configuration };
}

Deno.test("the document has ten commands, each with its number", () => {
  const { commands, configuration } = readDocument();
  assertEquals(commands.length, 10);
  assertMatch(configuration, /^<clickhouse>/);
});

const LISTEN = `
for await (const connection of Deno.listen({ port: ${SERVED} })) connection.close();
`;

/** What is looked at of a pair; see `synsnoop schema pairs`. */
interface Pair {
  event: string;
  tier?: number;
  verdict: string;
  client: { host?: string; syn?: number };
  server: { host?: string; port: number };
}

/** Connects so many times, and says how often that worked. */
function connectScript(host: string, port: number, times: number): string {
  return `
let made = 0;
const one = async () => {
  try {
    (await Deno.connect({ hostname: "${host}", port: ${port} })).close();
    made++;
  } catch { /* Refused, or no answer. */ }
};
for (let at = 0; at < ${times}; at += 10) await Promise.all(Array.from({ length: 10 }, one));
console.log(made);
`;
}

skippableTest("the ten commands of a fleet do what the document says", reason, async (t) => {
  assert(typeof found !== "string");
  const { commands, configuration } = readDocument();
  using folder = new Folder();
  const made = await buildPackage(folder.path);
  const addresses = NAMES.map((_, at) => `10.77.0.${at + 1}`);
  const hostsText = NAMES.map((name, at) => `${addresses[at]} ${name}\n`).join("");
  await using bridge = await Namespace.create();
  await bridge.ip("link", "add", "br0", "type", "bridge");
  await bridge.ip("address", "add", "10.77.0.254/24", "dev", "br0");
  await bridge.ip("link", "set", "br0", "up");
  const [, cache] = /^(.*\/root)\//.exec(found.command[0])!;
  await using stack = new AsyncDisposableStack();
  const hosts = await Promise.all(NAMES.map(async (name, at) =>
    stack.use(
      await SystemdHost.start(SUITE, {
        ...{
          name,
          address: `${addresses[at]}/24`,
          hosts: hostsText,
          folders: { [cache]: UNPACKED },
        },
        bridge: { namespace: bridge, name: "br0" },
      }),
    )
  ));
  const [ch1, ch2, ch3] = hosts;

  // ClickHouse as its makers install it, but that it is run from where it was unpacked.
  for (const host of hosts) {
    await host.succeed(
      `groupadd --system clickhouse && useradd --system --gid clickhouse clickhouse &&
       cp -r ${UNPACKED}/etc/clickhouse-server /etc/ &&
       mkdir -p /etc/clickhouse-server/config.d /var/lib/clickhouse /var/log/clickhouse-server &&
       chown clickhouse: /var/lib/clickhouse /var/log/clickhouse-server`,
    );
    const unit = Deno.readTextFileSync(`${cache}/lib/systemd/system/clickhouse-server.service`);
    await host.write(
      "/etc/systemd/system/clickhouse-server.service",
      unit.replace(
        "/usr/sbin/clickhouse-server",
        found.command.join(" ").replaceAll(cache, UNPACKED),
      ),
    );
    await host.succeed("systemctl daemon-reload");
    // What the document says of versions before 20.5.
    await host.write("/srv/fleet.xml", configuration.replaceAll("clickhouse>", "yandex>"));
    await host.copy(made, `/srv/${made.slice(made.lastIndexOf("/") + 1)}`);
  }

  // Somebody who asks from anywhere: this version, from its source.
  await Deno.mkdir(`${folder.path}/bin`);
  await Deno.writeTextFile(`${folder.path}/hosts`, hostsText);
  await Deno.writeTextFile(
    `${folder.path}/bin/synsnoop`,
    `#!/bin/sh\nexec ${Deno.execPath()} run --quiet -A ${ROOT}src/main.ts "$@"\n`,
    { mode: 0o755 },
  );
  const anywhere = (line: string) =>
    bridge.run(
      ...["unshare", "--mount", "--propagation", "private", "sh", "-c"],
      `mount --bind ${folder.path}/hosts /etc/hosts; PATH=${folder.path}/bin:$PATH; ${line}`,
    );
  const everywhere = async (line: string) =>
    await Promise.all(hosts.map((host) => host.succeed(line)));

  await t.step("1, 2: each server has its configuration and begins", async () => {
    await everywhere(commands[0]);
    await everywhere(commands[1]);
    for (const name of NAMES) {
      await until(
        `ClickHouse answers on ${name}`,
        () =>
          anywhere(`curl --silent http://${name}:8123/`).then((it) => it === "Ok.\n", () => false),
      );
    }
  });

  await t.step("3: the tables are made", async () => {
    const said = await anywhere(`${commands[2]} 2>&1`);
    for (const name of NAMES) {
      assertMatch(said, new RegExp(`made the tables in .* of http://${name}:8123$`, "m"));
    }
  });

  await t.step("4 to 8: each host traces and ships", async () => {
    await everywhere(commands[3]);
    // The probes tell each host of all three, which have one kernel here.
    await everywhere("sed -i '/^store/a probes = \"none\"' /etc/synsnoop.toml");
    for (const command of commands.slice(4, 7)) await everywhere(command);
    for (const host of hosts) {
      await until(
        `${host.name} traces`,
        async () =>
          /capturing packets/.test(await host.succeed("journalctl --unit synsnoop --output cat")),
      );
      // As who reads it does again until it says something.
      await until(
        `${host.name} ships`,
        async () => /shipping ".*" to http:\/\/ch1:8123$/m.test(await host.succeed(commands[7])),
      );
    }
  });

  const beganMs = performance.now();

  await t.step("9, 10: what happened is told, and where it failed", async () => {
    for (const host of hosts) {
      await host.network("sh", "-c", "echo 1 >/proc/sys/net/ipv4/tcp_syn_retries");
    }
    await ch3.network("sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward");
    await ch3.network(
      "nft",
      `table ip translate {
        chain before {
          type nat hook prerouting priority dstnat;
          tcp dport ${FORWARDED} dnat to ${addresses[1]}:${SERVED};
        }
        chain after {
          type nat hook postrouting priority srcnat;
          tcp dport ${SERVED} masquerade;
        }
      }`,
    );
    await bridge.run(
      "nft",
      `table bridge filter {
        chain way {
          type filter hook forward priority 0;
          tcp dport ${FILTERED} counter drop;
        }
      }`,
    );
    // A host is known to be watching from five seconds after its tracer began.
    await until("that has passed", () => performance.now() > beganMs + 6_000);
    const deno = (script: string) =>
      `DENO_DIR=/tmp/deno /usr/lib/synsnoop/deno eval --quiet '${script}'`;
    const [program, ...args] = ch2.command(deno(LISTEN));
    const server = new Deno.Command(program, { args, stdin: "null", stderr: "null" }).spawn();
    try {
      await until(
        "the server listens",
        async () => (await ch2.network("ss", "-Hltn", `sport = ${SERVED}`)) !== "",
      );
      for (
        const [host, port, times, works] of [
          ["ch2", SERVED, ESTABLISHED, true],
          ["ch2", CLOSED, REFUSED, false],
          ["ch2", FILTERED, LOST, false],
          ["ch3", FORWARDED, TRANSLATED, true],
        ] as const
      ) {
        const worked = await ch1.succeed(deno(connectScript(host, port, times)));
        assertEquals(Number(worked), works ? times : 0);
      }
    } finally {
      server.kill("SIGKILL");
      await server.status;
    }
    const counter = await bridge.run("nft", "list", "table", "bridge", "filter");
    const dropped = Number(/packets (\d+)/.exec(counter)![1]);

    // What nobody answers is told two minutes later, and that a host was watching by its next status line.
    let pairs: Pair[] = [];
    const at = (port: number, from = "ch1") =>
      pairs.filter(({ client, server }) => client.host === from && server.port === port);
    const isLost = ({ verdict }: Pair) => verdict === "syn_lost";
    await until("all has been told", async () => {
      const text = await anywhere(`${commands[9]} --json 2>/dev/null`);
      pairs = text.trimEnd().split("\n").map((line) => JSON.parse(line))
        .filter(({ event }) => event === "pair");
      return at(FILTERED).filter(isLost).length === LOST;
    }, 300_000);
    const shown = (port: number, from?: string) =>
      at(port, from).map(({ tier, verdict, server }) =>
        [tier, verdict, server.host ?? "nobody"].join(" ")
      );
    const times = (count: number, text: string) => Array(count).fill(text);
    assertEquals(shown(SERVED), times(ESTABLISHED, "1 established ch2"));
    assertEquals(shown(CLOSED), times(REFUSED, "1 refused_by_server ch2"));
    // Who translates addresses is on the way, no end, though both sides of it were told there.
    assertEquals(shown(FORWARDED), times(TRANSLATED, "2 established ch2"));
    assertEquals(shown(SERVED, "ch3"), []);
    const sent = at(FILTERED).reduce((sum, { client }) => sum + client.syn!, 0);
    assertEquals(sent, dropped);

    // And as they stand.
    const failures = await anywhere(commands[8]);
    for (
      const [outcome, port, count] of [
        ["refused", CLOSED, REFUSED],
        // By its packets alone: the kernel would say when it gave up.
        ["unanswered", FILTERED, LOST],
      ] as const
    ) {
      assertMatch(failures, new RegExp(`^${outcome} .* ${addresses[1]}:${port} +${count} `, "m"));
    }
    const told = await anywhere(commands[9]);
    assertMatch(told, new RegExp(`^ch1 +ch2 +refused_by_server +${REFUSED}$`, "m"));
    assertMatch(told, new RegExp(`^ch1 +ch2 +syn_lost +${LOST}$`, "m"));
    assertMatch(told, /^CLOCK OF /m);
  });
});

// What is said of a command line that cannot be used: in one line, what is wrong and what to do. Those here
// were typed by people, or would be by who knows other tools.
// Covers src/main.ts
import { assertEquals } from "@std/assert";
import { seedFiles } from "./seed_captures.ts";

const MAIN = new URL("../../src/main.ts", import.meta.url).pathname;
const folder = await Deno.makeTempDir({ prefix: "synsnoop-wrong-" });
globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
await Deno.writeFile(`${folder}/capture.pcap`, seedFiles()[0].bytes);
await Deno.writeTextFile(`${folder}/text`, "hello\n");
await Deno.writeTextFile(`${folder}/empty`, "");
await Deno.mkdir(`${folder}/folder`);

/** What is typed behind `synsnoop`, and what is said behind `synsnoop: `. */
const WRONG: readonly (readonly [typed: string, says: string])[] = [
  ["-p 443", 'Unknown command "-p": did you mean synsnoop trace --port 443?'],
  ["443", 'Unknown command "443": did you mean synsnoop trace --port 443?'],
  [
    "tcp port 80",
    'Unknown command "tcp": filters are flags here, such as --port 80 or --host 192.0.2.1',
  ],
  [
    "--verbose",
    'Unknown command "--verbose": a command stands before flags, as in synsnoop trace --failed',
  ],
  ["-r capture.pcap", 'Unknown command "-r": did you mean synsnoop read capture.pcap?'],
  ["capture.pcap", 'Unknown command "capture.pcap": did you mean synsnoop read capture.pcap?'],
  [
    "./capture.pcap",
    'Unknown command "./capture.pcap": did you mean synsnoop read ./capture.pcap?',
  ],
  ["stats", 'Unknown command "stats": did you mean synsnoop trace --stats?'],
  ["version", 'Unknown command "version": did you mean synsnoop --version?'],
  ["tracer", 'Unknown command "tracer": did you mean trace?'],
  ["reed capture.pcap", 'Unknown command "reed": did you mean read?'],
  [
    "trace port 443",
    'Cannot use "port": filters are flags here, such as --port 443 or --host 192.0.2.1',
  ],
  ["trace 443", 'Cannot use "443": did you mean --port 443?'],
  ["trace 192.0.2.1", 'Cannot use "192.0.2.1": did you mean --host 192.0.2.1?'],
  ["trace eth0", 'Cannot use "eth0": did you mean --interface eth0?'],
  ["trace any", 'Cannot use "any": leave it out: all interfaces are captured'],
  ["trace failed", 'Cannot use "failed": did you mean --failed?'],
  ["trace help", 'Cannot use "help": did you mean --help?'],
  [
    "trace capture.pcap",
    'Cannot use "capture.pcap": to read a file give synsnoop read capture.pcap',
  ],
  [
    "trace curl https://example.org",
    'Cannot use "curl": trace takes flags; a command to run stands behind --: synsnoop trace -- curl https://example.org',
  ],
  ["trace --", "Cannot run nothing: give a command behind --, such as -- curl URL"],
  [
    "trace --exit-status -- curl",
    "Cannot use --exit-status with a command: the exit status is the command's",
  ],
  ["trace -p 443", 'Unknown flag "-p": did you mean --port or --pid?'],
  ["trace -i eth0", 'Unknown flag "-i": did you mean --interface?'],
  ["trace -n", 'Unknown flag "-n": names are never looked up: leave it out'],
  ["trace -v", 'Unknown flag "-v": did you mean --version?'],
  ["trace --quiet", 'Unknown flag "--quiet": 2>/dev/null leaves the messages out'],
  ["trace --verbose", 'Unknown flag "--verbose": --help lists those that there are'],
  [
    "trace --filter tcp",
    'Unknown flag "--filter": each filter is a flag of its own, such as --port 443 or --failed',
  ],
  ["trace --format json", 'Unknown flag "--format": did you mean --json or --table or --csv?'],
  [
    "trace --no-color",
    'Unknown flag "--no-color": NO_COLOR=1 in the environment leaves colours out',
  ],
  ["trace --prot 80", 'Unknown flag "--prot": did you mean --port?'],
  [
    "trace --since 1h",
    'Unknown flag "--since": a trace tells of now; of files it is synsnoop read --since TIME FILE',
  ],
  ["trace --port", 'Cannot use "--port" without a value: give --port PORT'],
  [
    "trace --port=http",
    'Cannot use --port "http": give its number, from 1 to 65535, or a range such as 8000-8999',
  ],
  [
    "trace --port 80-",
    'Cannot use --port "80-": give its number, from 1 to 65535, or a range such as 80-65535',
  ],
  [
    "trace --port 80:90",
    'Cannot use --port "80:90": give its number, from 1 to 65535, or a range such as 80-90',
  ],
  [
    "trace --port 80-70",
    'Cannot use --port "80-70": no port is in that range; the lower one stands first',
  ],
  [
    "trace --port 70000",
    'Cannot use --port "70000": give its number, from 1 to 65535, or a range such as 8000-8999',
  ],
  [
    "trace --port 80, 443",
    'Cannot use --port "80,": there is nothing before or behind a comma; values stand without blanks, as in A,B',
  ],
  ["trace --port 80 --not-port 80", 'Cannot use --port "80" with --not-port "80": no port is left'],
  [
    "trace --host example.org",
    'Cannot use --host "example.org": give an IP address or a network such as 192.0.2.0/24; names are not looked up',
  ],
  [
    "trace --host 10.0.0.0/33",
    'Cannot use --host "10.0.0.0/33": the bits behind / are 0 to 32 of an IPv4 address, 0 to 128 of an IPv6 address',
  ],
  [
    "trace --comm systemd-networkd",
    'Cannot use --comm "systemd-networkd": the kernel keeps 15 bytes of a name; give --comm systemd-network',
  ],
  ["trace --pid nginx", 'Cannot use --pid "nginx": give a process id; by name it is --comm nginx'],
  [
    "trace --cgroup nginx.service",
    'Cannot use --cgroup "nginx.service": give its path in the cgroup v2 hierarchy, such as /system.slice/ssh.service',
  ],
  [
    "trace --comm nginx --probes none",
    "Cannot use --comm with --probes none: packets do not tell processes",
  ],
  [
    "trace --outcome failed",
    'Cannot use --outcome "failed": give --failed, or one of refused, timeout, unreachable, aborted, half_open, dropped, unanswered',
  ],
  ["trace --outcome ok", 'Cannot use --outcome "ok": did you mean established?'],
  ["trace --outcome refuse", 'Cannot use --outcome "refuse": did you mean refused?'],
  [
    "trace --outcome syn",
    'Cannot use --outcome "syn": give one of established, refused, timeout, unreachable, aborted, half_open, dropped, unanswered',
  ],
  [
    "trace --failed --outcome established",
    'Cannot use --failed with --outcome "established": no outcome is left',
  ],
  [
    "trace --reason no!",
    'Cannot use --reason "no!": give a symbol such as ECONNREFUSED or ACCEPT_QUEUE_FULL',
  ],
  ["trace --role both", 'Cannot use --role "both": give one of client, server, local, observer'],
  [
    "trace --slower-than 10",
    'Cannot use --slower-than "10": give its unit, such as 10ms, 10us or 10s',
  ],
  [
    "trace --slower-than 10msec",
    'Cannot use --slower-than "10msec": give a time above zero with its unit, such as 10ms, 500us or 1.5s',
  ],
  [
    "trace --leg total",
    "Cannot use --leg without --slower-than: it says which duration that is about; give both",
  ],
  ["trace --sample 10%", 'Cannot use --sample "10%": give 1/N, such as 1/100, N up to 1000000'],
  ["trace --count ten", 'Cannot use --count "ten": give a whole number of at least 1'],
  ["trace --count 1 --count 2", 'Cannot use "--count" 2 times: give it once'],
  [
    "trace --duration 10sec",
    'Cannot use --duration "10sec": give a time such as 10s, 500ms, 2m or 1h, at most 596h',
  ],
  ["trace --json --table", "Cannot use --table with --json: give one of them"],
  ["trace --json=true", 'Cannot use "--json" with "true": it takes no value, give it alone'],
  [
    "trace --columns foo",
    'Cannot use --columns "foo": no field has that name; synsnoop schema --format markdown lists them',
  ],
  [
    "trace --columns rtt --json",
    "Cannot use --columns with --json: it is about lines and tables; give --fields",
  ],
  ["trace --fields client.ip", 'Cannot use --fields "client.ip": did you mean client.address?'],
  ["trace --top 5", "Cannot use --top without --stats: it is about statistics; give --stats too"],
  ["trace --stats --interval 10ms", 'Cannot use --interval "10ms": give a time of at least 1s'],
  [
    "trace --status-interval off --csv",
    "Cannot use --status-interval with --csv: status lines stand among records of NDJSON",
  ],
  [
    "trace --interface-wait",
    "Cannot use --interface-wait without --interface: it waits for that one; give both",
  ],
  ["trace --output", 'Cannot use "--output" without a value: give --output FILE'],
  ["trace --output folder", 'Cannot use --output "folder": it is a folder; give another file'],
  [
    "trace --output none/x",
    'Cannot use --output "none/x": its folder is not there; give another file',
  ],
  [
    "trace --table --output x",
    "Cannot use --table with --output, which takes NDJSON: give one of them",
  ],
  ["trace --rotate-size 10M", "Cannot use --rotate-size without a file: give --output FILE too"],
  ["trace --rotate-keep 3", "Cannot use --rotate-keep alone: give --rotate-size SIZE too"],
  ["trace --write -", 'Cannot use --write "-": give a FILE, standard output is for records'],
  [
    "trace --probes bpf",
    'Cannot use --probes "bpf": give one of auto, fentry, kprobe, tracepoint, none',
  ],
  ["read", "Cannot read nothing: give a FILE (pcap, pcapng or NDJSON), or - for standard input"],
  ["read -r capture.pcap", 'Unknown flag "-r": a file stands without a flag: synsnoop read FILE'],
  [
    "read --since yesterday capture.pcap",
    'Cannot use --since "yesterday": give a moment such as 2026-11-23T01:02:03Z, or a time back from now such as 90s, 10m, 1h or 7d',
  ],
  [
    "read --until 10:00 capture.pcap",
    'Cannot use --until "10:00": give a moment such as 2026-11-23T01:02:03Z, or a time back from now such as 90s, 10m, 1h or 7d',
  ],
  ["read - -", 'Cannot read "-" twice: standard input ends once'],
  ["read --follow -", "Cannot use --follow here: it takes one FILE or store, no standard input"],
  [
    "read --interval 10s capture.pcap",
    'Unknown flag "--interval": a file is counted once, at its end: --stats',
  ],
  [
    "explain a.pcap b.pcap",
    'Cannot explain "b.pcap" too: give one FILE, or none for this host; two of both ends need --pair',
  ],
  [
    "explain --since 1h",
    "Cannot use --since without a FILE: what happens on this host happens now; give a FILE",
  ],
  [
    "explain --netns all capture.pcap",
    "Cannot use --netns with a FILE: it is about what happens on this host",
  ],
  [
    "explain --index first capture.pcap",
    'Cannot use --index "first": give a whole number of at least 1',
  ],
  [
    "explain --format png capture.pcap",
    'Cannot use --format "png": give one of text, svg, markdown',
  ],
  [
    "explain --format svg --ascii capture.pcap",
    "Cannot use --ascii with --format svg: a picture is drawn with lines",
  ],
  [
    "explain --format svg -- curl",
    "Cannot use --format svg with a command: standard output is the command's; give --output FILE",
  ],
  [
    "explain capture.pcap -- curl",
    'Cannot explain "capture.pcap" and run "curl": give a FILE, or a command behind --',
  ],
  ["doctor now", 'Cannot use "now": doctor takes flags only, see synsnoop doctor --help'],
  ["doctor --fix", 'Unknown flag "--fix": the flags here are --json, --help'],
  ["schema record", 'Cannot use "record": schema takes flags only, see synsnoop schema --help'],
  ["schema --format xml", 'Cannot use --format "xml": give one of json, markdown'],
  [
    "top capture.pcap other.pcap",
    'Cannot show "other.pcap" too: give one FILE, - for standard input, or none for this host',
  ],
  [
    "top --sort foo",
    'Cannot use --sort "foo": give one of name, handshakes, rate, failed, failed-rate, network-p50, network-p99, host-p50, host-p99',
  ],
  [
    "top --group container,process",
    'Cannot use --group "container,process": give one of server, client, process, container, cgroup, reason',
  ],
  ["top -d 1", 'Unknown flag "-d": did you mean --duration?'],
  [
    "report",
    "Cannot report on nothing: give a FILE (pcap, pcapng or NDJSON), or - for standard input",
  ],
  [
    "report capture.pcap --output folder",
    'Cannot use --output "folder": it is a folder; give another file',
  ],
  ["report -o page.html --format html capture.pcap", 'Unknown flag "-o": did you mean --output?'],
  [
    "metrics",
    "Cannot give metrics to nobody: give --listen ADDRESS, --metrics-file FILE or --otlp URL",
  ],
  [
    "metrics capture.pcap --listen 9464",
    'Cannot use --listen "9464": give an address with its port such as 127.0.0.1:9464 or [::1]:9464, unix:PATH, or systemd',
  ],
  [
    "metrics capture.pcap --otlp ftp://x",
    'Cannot use --otlp "ftp://x": give the URL of a collector such as http://127.0.0.1:4318',
  ],
  [
    "metrics --otlp-temporality sum capture.pcap",
    "Cannot use --otlp-temporality without --otlp: it says how to give metrics",
  ],
  [
    "query capture.pcap failures --limit 0",
    'Cannot use --limit "0": give a whole number from 1 to 1000000',
  ],
  [
    "trace --metrics localhost",
    'Cannot use --metrics "localhost": give an address with its port such as 127.0.0.1:9464 or [::1]:9464, unix:PATH, or systemd',
  ],
  [
    "report capture.pcap --output none/page.html",
    'Cannot use --output "none/page.html": its folder is not there; give another file',
  ],
  ["trace --keep 7d", "Cannot use --keep without a store: give --store DIR too"],
  ["trace --store folder --keep 7", 'Cannot use --keep "7": give hours or days, such as 12h or 7d'],
  [
    "trace --store folder --keep-size big",
    'Cannot use --keep-size "big": give a size above zero such as 100M, 500K or 2G',
  ],
  [
    "query - servers",
    "Cannot ask standard input: it is read here and there; write it into a FILE first (read --stats - counts it as it comes)",
  ],
  [
    "pairs web1.ndjson -",
    "Cannot ask standard input: it is read here and there; write it into a FILE first (read --stats - counts it as it comes)",
  ],
  [
    "query --from 127.0.0.1:8123 servers",
    'Cannot use --from "127.0.0.1:8123": give the address of ClickHouse\'s HTTP interface, such as http://127.0.0.1:8123',
  ],
  [
    "query --from http://127.0.0.1:8123 folder servers",
    'Cannot ask "folder" with --from: give a store or a server',
  ],
  [
    "query folder servers --database fleet",
    "Cannot use --database without --from: it is about ClickHouse",
  ],
  [
    "query --from http://127.0.0.1:8123 server",
    'Cannot ask "server": did you mean servers?',
  ],
  [
    "pairs --from http://127.0.0.1:8123 folder",
    'Cannot ask "folder" with --from: give stores or a server',
  ],
  ["ship", "Cannot ship nothing: give the DIR that trace --store writes"],
  [
    "ship folder",
    "Cannot ship to nowhere: give --to with the address of ClickHouse, such as http://127.0.0.1:8123",
  ],
  [
    "ship folder --to 127.0.0.1:8123",
    'Cannot use --to "127.0.0.1:8123": give the address of ClickHouse\'s HTTP interface, such as http://127.0.0.1:8123',
  ],
  [
    "ship folder --to http://me:secret@127.0.0.1:8123",
    "Cannot use --to with a user or password in it: every user of this machine reads command lines; give --clickhouse-user, and --password-file or SYNSNOOP_CLICKHOUSE_PASSWORD",
  ],
  [
    "ship folder --to http://127.0.0.1:8123/play",
    'Cannot use --to "http://127.0.0.1:8123/play": behind the port nothing stands, as in http://127.0.0.1:8123; --database says which one',
  ],
  [
    "ship folder --to http://127.0.0.1:8123 --password-file none",
    'Cannot use --password-file "none": there is no such file',
  ],
  [
    "ship folder --to http://127.0.0.1:8123 --password-file empty",
    'Cannot use --password-file "empty": it is empty',
  ],
  [
    "ship folder --to http://127.0.0.1:8123 --ca text",
    'Cannot use --ca "text": it holds no certificate, as PEM has them',
  ],
  [
    "ship folder --to http://127.0.0.1:8123 --password hunter2",
    'Unknown flag "--password": did you mean --password-file?',
  ],
  [
    "ship --ddl folder",
    'Cannot use "folder" with --ddl: it prints the tables\' statements and ships nothing',
  ],
  ["trace --config none.toml", 'Cannot use --config "none.toml": there is no such file'],
  [
    "trace --config text",
    'Cannot use "text", line 1: the key "hello" stands in no table: write one above it, as in [trace]',
  ],
];

/** What cannot be read or given, which is no fault of the command line. */
const UNREADABLE: readonly (readonly [typed: string, says: string])[] = [
  ["read none.pcap", 'Cannot read "none.pcap": there is no such file'],
  ["read empty", 'Cannot read "empty": it is empty'],
  [
    "read text",
    'Cannot read "text": it begins with 0x68656c6c and is neither pcap, pcapng nor NDJSON; editcap -F pcapng converts other formats',
  ],
  [
    "read capture.pcap/x",
    'Cannot read "capture.pcap/x": what stands before a / in it is no folder',
  ],
  [
    "ship none --to http://127.0.0.1:1",
    'Cannot read the store "none": there is no such folder',
  ],
  [
    "metrics --listen unix:none/socket capture.pcap",
    "Cannot listen at unix:none/socket: its folder is not there; give another --listen",
  ],
  ["explain none.pcap", 'Cannot read "none.pcap": there is no such file'],
];

const ROWS = [
  ...WRONG.map(([typed, says]) => ({ typed, says, status: 2 })),
  ...UNREADABLE.map(([typed, says]) => ({ typed, says, status: 1 })),
];

for (const { typed, says, status } of ROWS) {
  Deno.test(`synsnoop ${typed} says what is wrong and what to do`, async () => {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", MAIN, ...typed.split(" ").filter((word) => word !== "")],
      cwd: folder,
      stdin: "null",
    }).output();
    const [written, said] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    assertEquals([code, written, said], [status, "", `synsnoop: ${says}\n`]);
  });
}

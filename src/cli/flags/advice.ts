/**
 * What people type who know other tools, and what to type instead here. Each function gives the end of a
 * sentence that has said what is wrong.
 *
 * @module
 */
import { isIpv4Mapped, parseAddress } from "../../wire/address.ts";
import type { Flag } from "./flags.ts";
import { askNearest } from "./nearest.ts";

/** Flags of other tools by the names of flags here; the first that a command has is proposed. */
const MEANT: Readonly<Record<string, readonly string[]>> = {
  address: ["host"],
  anonymise: ["anonymize"],
  app: ["comm"],
  cmd: ["comm"],
  c: ["count"],
  dev: ["interface"],
  device: ["interface"],
  dport: ["server-port"],
  dst: ["host"],
  errors: ["failed"],
  fail: ["failed"],
  failures: ["failed"],
  f: ["follow"],
  file: ["output"],
  format: ["json", "table", "csv"],
  i: ["interface"],
  iface: ["interface"],
  ip: ["host"],
  latency: ["slower-than"],
  "min-rtt": ["slower-than"],
  name: ["comm"],
  namespace: ["netns"],
  nic: ["interface"],
  o: ["output"],
  out: ["output"],
  p: ["port", "pid"],
  process: ["comm"],
  program: ["comm"],
  src: ["host"],
  sport: ["port"],
  state: ["outcome"],
  time: ["duration"],
  timeout: ["duration"],
  u: ["user"],
  uid: ["user"],
  w: ["write"],
};

/** Flags of other tools that are none here, and what to do instead. */
const INSTEAD: Readonly<Record<string, string>> = {
  filter: "each filter is a flag of its own, such as --port 443 or --failed",
  interval: "a file is counted once, at its end: --stats",
  n: "names are never looked up: leave it out",
  nn: "names are never looked up: leave it out",
  "no-color": "NO_COLOR=1 in the environment leaves colours out",
  "no-colour": "NO_COLOR=1 in the environment leaves colours out",
  q: "2>/dev/null leaves the messages out",
  quiet: "2>/dev/null leaves the messages out",
  r: "a file stands without a flag: synsnoop read FILE",
  read: "a file stands without a flag: synsnoop read FILE",
  silent: "2>/dev/null leaves the messages out",
  since: "a trace tells of now; of files it is synsnoop read --since TIME FILE",
  until: "--duration ends a trace; of files it is synsnoop read --until TIME FILE",
  v: "did you mean --version?",
};

/** Up to so many flags are listed where nothing is near; more would be a help page in one line. */
const LISTED_MAX = 8;

/** What to give instead of a flag that is none. @param typed Without its dashes. */
export function adviseFlag(typed: string, flags: readonly Flag[]): string {
  const names = flags.map(({ name }) => name);
  const meant = (Object.hasOwn(MEANT, typed) ? MEANT[typed] : [])
    .filter((name) => names.includes(name)).map((name) => `--${name}`);
  if (meant.length > 0) return `did you mean ${meant.join(" or ")}?`;
  const isFew = names.length <= LISTED_MAX;
  if (!isFew && Object.hasOwn(INSTEAD, typed)) return INSTEAD[typed];
  return askNearest(typed, names, "--") ??
    (isFew
      ? `the flags here are ${names.map((name) => `--${name}`).join(", ")}`
      : "--help lists those that there are");
}

const FILE = /^-$|\/|\.(?:pcap(?:ng)?|cap|dmp|ndjson|jsonl?|gz|zst)\d*$/i;
const FILTER_WORDS = ["tcp", "udp", "ip", "ip6", "port", "portrange", "host", "net", "src", "dst"];
const INTERFACE =
  /^(?:lo|(?:eth|wlan|br|docker|tun|tap|bond|virbr|wg|ppp)\d[\w.-]*|(?:veth|br-|en[opsx]|wl[opsx])\w*\d[\w.-]*)$/;

/** What to give instead of words that are neither flags nor files: what they look like. */
function adviseWords(words: readonly string[]): string | undefined {
  const [word] = words;
  if (FILTER_WORDS.includes(word)) {
    const port = words.find((each) => /^\d+(?:-\d+)?$/.test(each));
    return `filters are flags here, such as --port ${port ?? "443"} or --host 192.0.2.1`;
  }
  if (/^\d{1,5}(?:-\d{1,5})?$/.test(word)) return `did you mean --port ${word}?`;
  const address = parseAddress(word.split("/")[0]);
  if (address && (isIpv4Mapped(address) || word.includes(":"))) {
    return `did you mean --host ${word}?`;
  }
  if (word === "any" || word === "all") return "leave it out: all interfaces are captured";
  if (INTERFACE.test(word)) return `did you mean --interface ${word}?`;
  if (word === "help" || word === "version") return `did you mean --${word}?`;
  return undefined;
}

/**
 * What to give instead of what stands behind a command that takes flags only.
 *
 * @param command Its name. @param words What stands there. @param flags Those that the command has.
 * @param takesCommand Whether it runs a command behind `--`.
 */
export function adviseOperands(
  command: string,
  words: readonly string[],
  flags: readonly Flag[],
  takesCommand = false,
): string {
  const [word] = words;
  const isFlag = flags.some(({ name }) => name === word);
  const looksLike = takesCommand ? adviseWords(words) : undefined;
  if (looksLike !== undefined) return looksLike;
  if (takesCommand && FILE.test(word) && !word.includes("://")) {
    if (!word.startsWith("/") && !word.startsWith(".")) {
      return `to read a file give synsnoop read ${word}`;
    }
    return `to read a file give synsnoop read ${word}, to run it synsnoop ${command} -- ${word}`;
  }
  if (isFlag) return `did you mean --${word}?`;
  return takesCommand
    ? `${command} takes flags; a command to run stands behind --: synsnoop ${command} -- ${
      words.join(" ")
    }`
    : `${command} takes flags only, see synsnoop ${command} --help`;
}

/** What commands of other tools are called here. */
const MEANT_COMMANDS: Readonly<Record<string, string>> = {
  analyze: "read",
  capture: "trace",
  check: "doctor",
  dump: "trace",
  failed: "trace --failed",
  json: "trace --json",
  live: "trace",
  monitor: "trace",
  open: "read",
  record: "trace",
  run: "trace",
  show: "read",
  sniff: "trace",
  start: "trace",
  statistics: "trace --stats",
  stats: "trace --stats",
  status: "doctor",
  view: "read",
  watch: "trace",
};

/**
 * What to give instead of words that begin with no command.
 *
 * @param words What was typed.
 * @returns Undefined where nothing is known of them.
 */
export function adviseCommand(words: readonly string[]): string | undefined {
  const [word] = words;
  if (word === "-r") return `did you mean synsnoop read ${words.slice(1).join(" ") || "FILE"}?`;
  if (word === "-p" || word === "-i") {
    const flag = word === "-p" ? "--port" : "--interface";
    return `did you mean synsnoop trace ${[flag, ...words.slice(1)].join(" ")}?`;
  }
  if (word.startsWith("-") && word !== "-") {
    return "a command stands before flags, as in synsnoop trace --failed";
  }
  if (word === "version") return "did you mean synsnoop --version?";
  const looksLike = adviseWords(words);
  if (looksLike !== undefined) {
    return looksLike.replace("did you mean --", "did you mean synsnoop trace --");
  }
  if (FILE.test(word)) return `did you mean synsnoop read ${words.join(" ")}?`;
  if (!Object.hasOwn(MEANT_COMMANDS, word)) return undefined;
  return `did you mean synsnoop ${MEANT_COMMANDS[word]}?`;
}

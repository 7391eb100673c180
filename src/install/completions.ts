/**
 * Completions of commands, flags and values for bash, zsh and fish, made of the same tables as `--help`.
 *
 * @module
 */
import type { Completed, Flag } from "../cli/flags/flags.ts";
import type { Help } from "../cli/help.ts";
import { quoteForShell } from "./wrapper.ts";

type Commands = readonly (readonly [name: string, help: Help])[];

/** What is offered: of a kind, or some words. */
type Offered = Completed | readonly string[];

/** What is offered where a flag does not say it, by what its value is called. */
const BY_VALUE: Readonly<Record<string, Completed>> = { FILE: "file", DIR: "folder" };

/** What the names of files of a kind end in. */
const ENDS = {
  capture: ["pcap", "pcapng", "cap", "ndjson"],
  config: ["toml"],
} as const satisfies Partial<Record<Completed, readonly string[]>>;

/** What is offered for the value of a flag; undefined: nothing. */
function offeredFor({ value, completes }: Flag): Offered | undefined {
  if (typeof completes === "function") return completes();
  return completes ?? (value === undefined ? undefined : BY_VALUE[value]);
}

/** Whether files are what a command is about. */
function takesFiles({ usage }: Help): boolean {
  return usage.some(([command]) => /\b(?:FILE|DIR)\b/.test(command));
}

/** Whether a command to run may stand behind `--`. */
function takesCommand({ usage }: Help): boolean {
  return usage.some(([command]) => command.includes("-- COMMAND"));
}

function flagWords(flags: readonly Flag[]): string {
  return flags.map(({ name }) => `--${name}`).join(" ");
}

/** What can stand in the place of a command. */
function firstWords(commands: Commands): string {
  return [...commands.map(([name]) => name), "help", "--help", "--version"].join(" ");
}

/** Writes the completions for bash. */
export function bashCompletions(commands: Commands): string {
  const cases = commands.map(([name, help]) => {
    const valued = help.flags.filter(({ value }) => value !== undefined);
    const many = valued.filter(({ many }) => many);
    return `    ${name}) flags='${flagWords(help.flags)}' valued=' ${flagWords(valued)} '` +
      ` many=' ${flagWords(many)} ' operands=${takesFiles(help) ? "files" : "none"}` +
      ` runs=${takesCommand(help) ? "yes" : "no"} ;;\n`;
  });
  const values = [...bashValues(commands)].map(([action, flags]) =>
    `    ${flags.map((flag) => `'${flag}'`).join(" | ")}) ${action} ;;\n`
  );
  return `# Completions of synsnoop for bash.
# Files whose names match, and folders; where none does, any file.
_synsnoop_files() {
  local each found=0
  local -a all
  mapfile -t all < <(compgen -f -- "$word")
  compopt -o filenames
  for each in "\${all[@]}"; do
    if [[ -d $each ]]; then
      COMPREPLY+=("$each")
    elif [[ $each =~ $1 ]]; then
      COMPREPLY+=("$each")
      found=1
    fi
  done
  ((found)) || COMPREPLY=("\${all[@]}")
}
_synsnoop() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD - 1]}
  local flags='' valued='' many='' operands=none runs=no words='' head='' at
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    mapfile -t COMPREPLY < <(compgen -W '${firstWords(commands)}' -- "$word")
    return
  fi
  # Of --flag=value bash makes three words.
  if [[ $word == = ]]; then
    word=''
  elif [[ $before == = ]]; then
    before=\${COMP_WORDS[COMP_CWORD - 2]}
  fi
  case \${COMP_WORDS[1]} in
${cases.join("")}  esac
  for ((at = 2; at < COMP_CWORD; at++)); do
    [[ \${COMP_WORDS[at]} == -- ]] || continue
    if [[ $runs == no ]]; then
      _synsnoop_files ${bashPattern("capture")}
    elif declare -F _command_offset >/dev/null; then
      _command_offset $((at + 1))
    elif ((COMP_CWORD == at + 1)); then
      mapfile -t COMPREPLY < <(compgen -c -- "$word")
    else
      _synsnoop_files ''
    fi
    return
  done
  if [[ $before == --* && $valued == *" $before "* ]]; then
    # Several values stand in one word, between commas.
    if [[ $many == *" $before "* && $word == *,* ]]; then
      head=\${word%,*},
    fi
    case "\${COMP_WORDS[1]} $before" in
${values.join("")}    *) return ;;
    esac
    mapfile -t COMPREPLY < <(compgen -P "$head" -W "$words" -- "\${word#"$head"}")
  elif [[ $word == -* || $operands == none ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$flags" -- "$word")
  else
    _synsnoop_files ${bashPattern("capture")}
  fi
}
complete -F _synsnoop synsnoop
`;
}

/** The flags by what bash does for their values. */
function bashValues(commands: Commands): Map<string, string[]> {
  const flags = new Map<string, string[]>();
  for (const [command, help] of commands) {
    for (const flag of help.flags) {
      const offered = offeredFor(flag);
      if (offered === undefined) continue;
      const action = bashAction(offered);
      flags.set(action, [...flags.get(action) ?? [], `${command} --${flag.name}`]);
    }
  }
  return flags;
}

function bashAction(offered: Offered): string {
  switch (offered) {
    case "capture":
    case "config":
      return `_synsnoop_files ${bashPattern(offered)}; return`;
    case "file":
      return "_synsnoop_files ''; return";
    case "folder":
      return 'compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$word"); return';
    case "interface":
      return "words=$(ls /sys/class/net 2>/dev/null)";
    case "netns":
      return 'words="all $(ls /run/netns 2>/dev/null)"';
    case "user":
      return "words=$(compgen -u)";
    default:
      return `words='${offered.join(" ")}'`;
  }
}

/** What is behind the end may be .gz, or the number of a file that was rotated. */
function bashPattern(kind: keyof typeof ENDS): string {
  return quoteForShell(`\\.(${ENDS[kind].join("|")})(\\.[0-9a-z]+)*$`);
}

/** Writes the completions for zsh. */
export function zshCompletions(commands: Commands): string {
  const names = commands.map(([name, { summary }]) =>
    quoteForShell(`${name}:${summary.replace(/\.$/, "")}`)
  );
  const cases = commands.map(([name, help]) => {
    const specifications = help.flags.map(zshFlag);
    if (takesFiles(help)) specifications.push(quoteForShell(`*:file:${zshAction("capture")}`));
    const runs = takesCommand(help) ? "      _synsnoop_command && return\n" : "";
    return `    ${name})\n${runs}      _arguments \\\n        ${
      specifications.join(" \\\n        ")
    }\n      ;;\n`;
  });
  return `#compdef synsnoop
# Completions of synsnoop for zsh.
# Behind -- stands a command with completions of its own.
_synsnoop_command() {
  local -i at=\${words[(i)--]}
  ((at < CURRENT)) || return
  shift $at words
  ((CURRENT -= at))
  _normal
  return 0
}
_synsnoop_netns() {
  compadd "$@" - all /run/netns/*(N:t)
}
_synsnoop() {
  local -a offers=(
    ${names.join("\n    ")}
  )
  if ((CURRENT == 2)); then
    _describe command offers
    _arguments '--help[show this]' '--version[tell which one this is]'
    return
  fi
  local command=\${words[2]}
  shift words
  ((CURRENT--))
  case $command in
${cases.join("")}  esac
}
_synsnoop "$@"
`;
}

function zshFlag(flag: Flag): string {
  const { name, value, many, meaning } = flag;
  // In a specification these three have a meaning of their own.
  const escape = (text: string) => text.replace(/[[\]:\\]/g, (character) => `\\${character}`);
  const offered = offeredFor(flag);
  const action = offered === undefined ? " " : zshAction(offered, many);
  const argument = value === undefined ? "" : `:${escape(value)}:${action}`;
  const head = `${many ? "*" : ""}--${name}${value === undefined ? "" : "="}`;
  return quoteForShell(`${head}[${escape(meaning)}]${argument}`);
}

/** @param many Whether several stand between commas. */
function zshAction(offered: Offered, many = false): string {
  switch (offered) {
    case "capture":
    case "config":
      return `_files -g "*.(${ENDS[offered].join("|")})(|.*)"`;
    case "file":
      return "_files";
    case "folder":
      return "_files -/";
  }
  const sequence = many ? "_sequence " : "";
  switch (offered) {
    case "interface":
      return `${sequence}_net_interfaces`;
    case "netns":
      return `${sequence}_synsnoop_netns`;
    case "user":
      return `${sequence}_users`;
    default:
      return many ? `_sequence compadd - ${offered.join(" ")}` : `(${offered.join(" ")})`;
  }
}

/** Writes the completions for fish. */
export function fishCompletions(commands: Commands): string {
  const lines = [
    "# Completions of synsnoop for fish.",
    "# Files whose names match, and folders; where none does, any file.",
    "function __synsnoop_captures",
    '    set -l files (complete -C "__fish_command_without_completions "(commandline -ct))',
    `    set -l found (string match -r -- '^.*\\.(?:${
      ENDS.capture.join("|")
    })(?:\\.[0-9a-z]+)*$' $files)`,
    "    set -q found[1]; or set found $files",
    "    printf '%s\\n' $found (string match -r -- '^.*/$' $files)",
    "end",
    "# Behind -- stands a command with completions of its own.",
    "function __synsnoop_command",
    "    set -l words (commandline -opc)",
    "    set -e words[1..(contains -i -- -- $words)]",
    '    complete -C (string join " " -- (string escape -- $words) (commandline -ct))',
    "end",
    "complete -c synsnoop -f",
    "complete -c synsnoop -n __fish_use_subcommand -l version -d 'tell which one this is'",
  ];
  for (const [name, help] of commands) {
    lines.push(
      `complete -c synsnoop -n __fish_use_subcommand -a ${name} -d ${quoteForFish(help.summary)}`,
    );
    const seen = `__fish_seen_subcommand_from ${name}`;
    const here = `complete -c synsnoop -n '${seen}'`;
    if (takesFiles(help)) {
      lines.push(`${here} -k -a ${quoteForFish(fishAction("capture"))}`);
    }
    if (takesCommand(help)) {
      const behind = "contains -- -- (commandline -opc)";
      lines.push(
        `complete -c synsnoop -n '${seen}; and ${behind}' -k -a '(__synsnoop_command)'`,
      );
    }
    for (const flag of help.flags) {
      const offered = offeredFor(flag);
      const argument = flag.value === undefined
        ? ""
        : offered === undefined
        ? " -x"
        : offered === "file"
        ? " -r -F"
        : ` -x -k -a ${quoteForFish(fishAction(offered, flag.many))}`;
      lines.push(`${here} -l ${flag.name}${argument} -d ${quoteForFish(flag.meaning)}`);
    }
  }
  return lines.join("\n") + "\n";
}

/** @param many Whether several stand between commas. */
function fishAction(offered: Exclude<Offered, "file">, many = false): string {
  const list = (command: string) =>
    many ? `(__fish_complete_list , ${quoteForFish(command)})` : `(${command})`;
  switch (offered) {
    case "capture":
      return "(__synsnoop_captures)";
    case "config":
      return `(__fish_complete_suffix .${ENDS.config})`;
    case "folder":
      return "(__fish_complete_directories)";
    case "interface":
      return list("__fish_print_interfaces");
    case "netns":
      return list("echo all; command ls /run/netns 2>/dev/null");
    case "user":
      return list("__fish_complete_users");
    default:
      return many ? list(`string split ' ' '${offered.join(" ")}'`) : offered.join(" ");
  }
}

/** Quotes a text so that fish takes it for one word. */
function quoteForFish(text: string): string {
  return `'${text.replace(/[\\']/g, (character) => `\\${character}`)}'`;
}

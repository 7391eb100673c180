/**
 * Completions of commands and flags for bash, zsh and fish, made of the same tables as `--help`.
 *
 * @module
 */
import type { Flag } from "../cli/flags.ts";
import type { Help } from "../cli/help.ts";
import { quoteForShell } from "./wrapper.ts";

type Commands = readonly (readonly [name: string, help: Help])[];

/** How the tables call a value or an operand that is a file. */
const FILE = "FILE";

function takesFiles({ usage }: Help): boolean {
  return usage.some(([command]) => command.includes(FILE));
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
    const files = valued.filter(({ value }) => value === FILE);
    return `    ${name}) flags='${flagWords(help.flags)}' valued=' ${flagWords(valued)} '` +
      ` files=' ${flagWords(files)} ' operands=${takesFiles(help) ? "files" : "none"} ;;\n`;
  });
  return `# Completions of synsnoop for bash.
_synsnoop() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD - 1]}
  local flags='' valued='' files='' operands=none
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
  if [[ $before == --* && $valued == *" $before "* ]]; then
    [[ $files == *" $before "* ]] || return
  elif [[ $word == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$flags" -- "$word")
    return
  elif [[ $operands == none ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$flags" -- "$word")
    return
  fi
  compopt -o filenames
  mapfile -t COMPREPLY < <(compgen -f -- "$word")
}
complete -F _synsnoop synsnoop
`;
}

/** Writes the completions for zsh. */
export function zshCompletions(commands: Commands): string {
  const names = commands.map(([name, { summary }]) =>
    quoteForShell(`${name}:${summary.replace(/\.$/, "")}`)
  );
  const cases = commands.map(([name, help]) => {
    const specifications = help.flags.map(zshFlag);
    if (takesFiles(help)) specifications.push("'*:file:_files'");
    return `    ${name})\n      _arguments \\\n        ${
      specifications.join(" \\\n        ")
    }\n      ;;\n`;
  });
  return `#compdef synsnoop
# Completions of synsnoop for zsh.
_synsnoop() {
  local -a commands=(
    ${names.join("\n    ")}
  )
  if ((CURRENT == 2)); then
    _describe command commands
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

function zshFlag({ name, value, many, meaning }: Flag): string {
  // In a specification these three have a meaning of their own.
  const escape = (text: string) => text.replace(/[[\]:\\]/g, (character) => `\\${character}`);
  const argument = value === undefined
    ? ""
    : `:${escape(value)}:${value === FILE ? "_files" : " "}`;
  const head = `${many ? "*" : ""}--${name}${value === undefined ? "" : "="}`;
  return quoteForShell(`${head}[${escape(meaning)}]${argument}`);
}

/** Writes the completions for fish. */
export function fishCompletions(commands: Commands): string {
  const lines = [
    "# Completions of synsnoop for fish.",
    "complete -c synsnoop -f",
    "complete -c synsnoop -n __fish_use_subcommand -l version -d 'tell which one this is'",
  ];
  for (const [name, help] of commands) {
    lines.push(
      `complete -c synsnoop -n __fish_use_subcommand -a ${name} -d ${quoteForFish(help.summary)}`,
    );
    const here = `complete -c synsnoop -n '__fish_seen_subcommand_from ${name}'`;
    if (takesFiles(help)) lines.push(`${here} -F`);
    for (const { name, value, meaning } of help.flags) {
      const argument = value === undefined ? "" : value === FILE ? " -r -F" : " -x";
      lines.push(`${here} -l ${name}${argument} -d ${quoteForFish(meaning)}`);
    }
  }
  return lines.join("\n") + "\n";
}

/** Quotes a text so that fish takes it for one word. */
function quoteForFish(text: string): string {
  return `'${text.replace(/[\\']/g, (character) => `\\${character}`)}'`;
}

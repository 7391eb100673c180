/**
 * The flags that hide whose handshakes are reported.
 *
 * @module
 */
import { messageOf } from "../../text/message.ts";
import type { Disguise } from "../../pipeline/disguise.ts";
import type { Flag, ParsedFlags } from "./flags.ts";
import { sayNote } from "../process/terminal.ts";
import { UsageError } from "../usage.ts";

/** The flags of every command that can hide whose handshakes it tells. */
export const ANONYMIZE_FLAGS: readonly Flag[] = [
  {
    name: "anonymize",
    meaning: "hide addresses and names in all that is written: networks stay networks",
  },
  {
    name: "anonymize-key",
    value: "FILE",
    meaning:
      "hide them by the key in FILE, so that several outputs fit each other (default: another key each run)",
  },
];

/** What they do, for the help. */
export const ANONYMIZE_HELP =
  "--anonymize gives addresses others, by Crypto-PAn: two that begin with the same bits still do, and " +
  "loopback, link-local and multicast stay such. Names of hosts, processes, users, cgroups, containers, " +
  "interfaces and namespaces become keyed hashes; ports, times, sequence numbers and process ids stay. " +
  "Filters take the real names. Messages on standard error name files and interfaces as they are, and " +
  "--write is refused: packets hold what it hides. FILE holds 32 random bytes, or their hexadecimal " +
  "digits: openssl rand -hex 32.";

/** Whether whose handshakes they are is hidden in what is written, and by which key. */
export interface AnonymizeOptions {
  anonymize: boolean;
  /** The file of the key; undefined: a random one. */
  anonymizeKey: string | undefined;
}

/**
 * Reads the flags of {@link ANONYMIZE_FLAGS}.
 *
 * @throws {UsageError} One line for the user.
 */
export function parseAnonymize({ switches, values }: ParsedFlags): AnonymizeOptions {
  const anonymize = switches.has("anonymize");
  const anonymizeKey = values.get("anonymize-key")?.[0];
  if (anonymizeKey !== undefined && !anonymize) {
    throw new UsageError("Cannot use --anonymize-key without --anonymize: it says how to do that");
  }
  if (anonymize && values.has("write")) {
    throw new UsageError(
      "Cannot use --write with --anonymize: packets hold the addresses and names that it hides",
    );
  }
  if (anonymize && values.has("store") && anonymizeKey === undefined) {
    throw new UsageError(
      "Cannot use --store with --anonymize alone: by another key each run is another host there; " +
        "give --anonymize-key FILE too",
    );
  }
  return { anonymize, anonymizeKey };
}

/** Flags whose values are names or addresses; those of others are numbers and words of the tool. */
const VALUE_IS_HIDDEN = [
  ...["interface", "host", "not-host", "comm", "not-comm", "user", "cgroup"],
  ...["container", "not-container", "traced-on"],
];

/** The flags as a status line tells them, where it must not tell names: `--host ...`. */
export function hideValues(flags: readonly string[]): string[] {
  return flags.map((flag) => {
    const [name] = flag.split(" ");
    return name === "--" || VALUE_IS_HIDDEN.includes(name.slice(2)) ? `${name} ...` : flag;
  });
}

/**
 * Makes what hides them; undefined where nothing is to be hidden.
 *
 * @throws {UsageError} The key cannot be read.
 */
export async function loadDisguise(
  { anonymize, anonymizeKey }: AnonymizeOptions,
): Promise<Disguise | undefined> {
  if (!anonymize) return undefined;
  const { Anonymizer }: typeof import("../../anonymize/anonymizer.ts") = await import(
    import.meta.resolve("../../anonymize/anonymizer.ts")
  );
  if (anonymizeKey === undefined) {
    return new Anonymizer(crypto.getRandomValues(new Uint8Array(32)));
  }
  const { readKeyFile }: typeof import("../../files/key_file.ts") = await import(
    import.meta.resolve("../../files/key_file.ts")
  );
  try {
    const { key, openMode } = readKeyFile(anonymizeKey);
    if (openMode !== undefined) {
      sayNote(
        `others may use the key in "${anonymizeKey}" (mode ${openMode.toString(8)}): ` +
          "who has it can try which address it was; chmod 600 keeps it yours",
      );
    }
    return new Anonymizer(key);
  } catch (error) {
    const reason = messageOf(error);
    throw new UsageError(`Cannot use --anonymize-key "${anonymizeKey}": ${reason}`);
  }
}

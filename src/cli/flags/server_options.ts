/**
 * The flags that name a server of ClickHouse, and who one is there, for the commands that use one.
 *
 * @module
 */
import { readSecretFile } from "../../files/secret_file.ts";
import { environmentVariable } from "../../linux/environment.ts";
import type { ServerOptions } from "../../store/clickhouse/client.ts";
import { USUAL_DATABASE } from "../../store/clickhouse/schema.ts";
import { messageOf } from "../../text/message.ts";
import type { Flag, ParsedFlags } from "./flags.ts";
import { readConfigText } from "../process/config_text.ts";
import { sayNote } from "../process/terminal.ts";
import { UsageError } from "../usage.ts";

/** The environment's words for who one is: a command line is read by every user of a machine. */
export const USER_VARIABLE = "SYNSNOOP_CLICKHOUSE_USER";
export const PASSWORD_VARIABLE = "SYNSNOOP_CLICKHOUSE_PASSWORD";

/** The flags, beside the one that names servers. */
export const SERVER_FLAGS: readonly Flag[] = [
  {
    name: "database",
    value: "NAME",
    meaning: `database of ClickHouse (default ${USUAL_DATABASE})`,
  },
  {
    name: "clickhouse-user",
    value: "NAME",
    meaning: `user of ClickHouse (default $${USER_VARIABLE}, else default)`,
  },
  {
    name: "password-file",
    value: "FILE",
    completes: "file",
    meaning: `password of that user (default $${PASSWORD_VARIABLE})`,
  },
  {
    name: "ca",
    value: "FILE",
    completes: "file",
    meaning: "certificates to trust for https, PEM, beside those of this host",
  },
];

/** Which servers, and as whom. */
export interface ServerChoice {
  /** `http://HOST:PORT` each. */
  origins: readonly string[];
  database: string;
  user: string | undefined;
  passwordFile: string | undefined;
  caFile: string | undefined;
}

/** Names of databases and clusters that need no thought of what they are in SQL, URLs and paths. */
const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,62}$/;

/** Reads the name of a database or a cluster. @throws {UsageError} It is none. */
export function parseName(flag: string, text: string): string {
  if (NAME.test(text)) return text;
  throw new UsageError(
    `Cannot use --${flag} "${text}": give letters, digits and _, such as ${USUAL_DATABASE}`,
  );
}

/**
 * Reads the flags of {@linkcode SERVER_FLAGS} and the one that names servers.
 *
 * @param serverFlag Its name. @throws {UsageError} One line for the user.
 */
export function parseServers({ values }: ParsedFlags, serverFlag: string): ServerChoice {
  const one = (flag: string) => values.get(flag)?.[0];
  const database = one("database");
  return {
    origins: [
      ...new Set((values.get(serverFlag) ?? []).map((url) => parseServer(serverFlag, url))),
    ],
    database: database === undefined ? USUAL_DATABASE : parseName("database", database),
    user: one("clickhouse-user"),
    passwordFile: one("password-file"),
    caFile: one("ca"),
  };
}

/** Reads the address of a server. @returns `http://HOST:PORT`. @throws {UsageError} It is none. */
export function parseServer(flag: string, text: string): string {
  const url = URL.parse(text);
  if (url === null || !["http:", "https:"].includes(url.protocol) || url.hostname === "") {
    throw new UsageError(
      `Cannot use --${flag} "${withoutSecret(text)}": give the address of ClickHouse's HTTP ` +
        "interface, such as http://127.0.0.1:8123",
    );
  }
  if (url.username !== "" || url.password !== "") {
    throw new UsageError(
      `Cannot use --${flag} with a user or password in it: every user of this machine reads command ` +
        `lines; give --clickhouse-user, and --password-file or ${PASSWORD_VARIABLE}`,
    );
  }
  if (url.pathname !== "/" || url.search !== "" || url.hash !== "") {
    throw new UsageError(
      `Cannot use --${flag} "${text}": behind the port nothing stands, as in ${url.origin}; ` +
        "--database says which one",
    );
  }
  return url.origin;
}

/** What may be quoted of an address. */
function withoutSecret(text: string): string {
  return text.replace(/\/\/[^/]*@/, "//…@");
}

/**
 * Reads the files that are named.
 *
 * @throws {UsageError} One of them cannot be used.
 */
export function loadServers(
  { origins, database, user, passwordFile, caFile }: ServerChoice,
): ServerOptions[] {
  const password = passwordFile === undefined
    ? environmentVariable(PASSWORD_VARIABLE)
    : loadPassword(passwordFile);
  const certificates = caFile === undefined ? undefined : loadCertificates(caFile);
  if (password !== undefined) {
    for (const origin of origins.filter(isInTheClear)) {
      sayNote(
        `the password goes to ${origin} in the clear: give an https address where others listen`,
      );
    }
  }
  return origins.map((origin) => ({
    origin,
    database,
    user: user ?? environmentVariable(USER_VARIABLE),
    password,
    caCertificates: certificates,
  }));
}

function isInTheClear(origin: string): boolean {
  const { protocol, hostname } = new URL(origin);
  return protocol === "http:" && !/^(?:localhost|127\.[\d.]+|\[::1\])$/.test(hostname);
}

function loadPassword(path: string): string {
  try {
    const { secret, isPublic } = readSecretFile(path);
    if (isPublic) {
      sayNote(`every user of this machine may read the password in "${path}": chmod 640 ends that`);
    }
    return secret;
  } catch (error) {
    throw new UsageError(`Cannot use --password-file "${path}": ${messageOf(error)}`);
  }
}

function loadCertificates(path: string): string[] {
  let text: string;
  try {
    text = readConfigText(path);
  } catch (error) {
    throw new UsageError(`Cannot use --ca "${path}": ${messageOf(error)}`);
  }
  if (text.includes("-----BEGIN CERTIFICATE-----")) return [text];
  throw new UsageError(`Cannot use --ca "${path}": it holds no certificate, as PEM has them`);
}

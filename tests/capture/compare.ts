/**
 * Runs `read` and tshark over every capture below a folder and prints what differs, by kind, with who is
 * right where a rule knows (`differences.ts`):
 *
 *     deno task compare FOLDER…
 *
 * Exit status: 0 all alike or explained, 1 not, 2 wrong usage or no tshark.
 *
 * @module
 */
import { findExecutable } from "../../src/linux/host.ts";
import { escapeText } from "../../src/text/escape.ts";
import { compare, type Difference, type ReadCapture } from "./differences.ts";
import { runRead } from "./read_tool.ts";
import { readWithTshark } from "./tshark.ts";

const CAPTURE = /\.(pcap|pcapng|cap|dmp|trc)(\.gz)?$/i;
/** Of one kind and reason; the others are counted. */
const EXAMPLES = 5;

/** What came of one file. */
export interface FileComparison {
  path: string;
  /** Handshakes of which both say the same. */
  alike: number;
  differences: readonly Difference[];
  /** Why it could not be compared. */
  fault?: string;
}

/** Every capture below some folders, or named. */
export function capturesBelow(paths: readonly string[]): string[] {
  return paths.flatMap((path) => {
    if (Deno.statSync(path).isFile) return [path];
    const names = [...Deno.readDirSync(path)].sort((a, b) => a.name < b.name ? -1 : 1);
    return names.flatMap(({ name, isDirectory, isFile }) =>
      isDirectory
        ? capturesBelow([`${path}/${name}`])
        : isFile && CAPTURE.test(name)
        ? [`${path}/${name}`]
        : []
    );
  });
}

/** Compares what both say of one file. */
export async function compareFile(path: string): Promise<FileComparison> {
  const [ours, theirs] = await Promise.allSettled([runRead([path]), readWithTshark(path)]);
  if (ours.status === "rejected") throw ours.reason;
  const { records, summary, said, status } = ours.value;
  if (theirs.status === "rejected") {
    const isSame = status !== 0;
    // What neither can read is no difference.
    return isSame
      ? { path, alike: 0, differences: [] }
      : { path, alike: 0, differences: [], fault: String(theirs.reason) };
  }
  if (summary === undefined) return { path, alike: 0, differences: [], fault: said };
  const read: ReadCapture = {
    records,
    losses: summary.losses,
    discarded: summary.discarded,
  };
  const differences = compare(read, theirs.value);
  const keys = new Set(differences.map(({ key }) => key));
  const alike = theirs.value.filter(({ key }) => !keys.has(key)).length;
  return { path, alike, differences };
}

/** Whether nothing is left that no rule explains. */
export function isClean(files: readonly FileComparison[]): boolean {
  return files.every(({ differences, fault }) =>
    fault === undefined && differences.every(({ why }) => why !== undefined)
  );
}

/** Writes what differs, by kind and reason, those without one last. */
export function formatComparison(files: readonly FileComparison[]): string {
  const all = files.flatMap(({ path, differences }) =>
    differences.map((difference) => ({ path, ...difference }))
  );
  const alike = files.reduce((sum, file) => sum + file.alike, 0);
  const lines = [
    `${count(files.length, "file")}: ${count(alike, "handshake")} alike, ` +
    count(all.length, "difference"),
  ];
  const groups = [...Map.groupBy(all, ({ kind, why }) => `${kind}: ${why ?? "not explained"}`)]
    .sort(([, [a]], [, [b]]) => Number(a.why === undefined) - Number(b.why === undefined));
  for (const [title, group] of groups) {
    lines.push("", `${group.length} ${title}`);
    for (const { path, key, read, tshark } of group.slice(0, EXAMPLES)) {
      lines.push(`  ${path}: ${key}: read ${read}, tshark ${tshark}`);
    }
    if (group.length > EXAMPLES) lines.push(`  and ${group.length - EXAMPLES} more`);
  }
  for (const { path, fault } of files) {
    if (fault !== undefined) lines.push("", `Cannot compare ${path}: ${fault}`);
  }
  // Names of files, and what programs say, are untrusted.
  return lines.map((line) => escapeText(line)).join("\n") + "\n";
}

function count(number: number, thing: string): string {
  return `${number} ${thing}${number === 1 ? "" : "s"}`;
}

async function main(paths: readonly string[]): Promise<number> {
  if (paths.length === 0) {
    console.error("Cannot compare nothing: give a folder with capture files");
    return 2;
  }
  if (findExecutable("tshark") === undefined) {
    console.error('Cannot compare: there is no "tshark" (package tshark)');
    return 2;
  }
  const files: FileComparison[] = [];
  for (const path of capturesBelow(paths)) files.push(await compareFile(path));
  console.log(formatComparison(files).trimEnd());
  return isClean(files) ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main(Deno.args));

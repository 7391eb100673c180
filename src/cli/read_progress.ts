/** How far the reading of a file has come. */
export interface ReadProgress {
  /** Bytes of the file read, as they lie on the disk. */
  bytes: number;
  /** Bytes of the file; undefined where that is not known. */
  totalBytes: number | undefined;
  /** Packets, or records, read of it. */
  items: number;
  /** What it holds. */
  held: "packets" | "records";
  /** Since the file was begun. */
  elapsedMs: number;
}

const SIZE_UNITS = ["B", "kB", "MB", "GB", "TB"];

/** Writes progress for a person, short enough for a line: `120 MB of 300 MB, 1.2 M packets/s, 3 s left`. */
export function formatProgress(progress: ReadProgress): string {
  const { bytes, totalBytes, items, held, elapsedMs } = progress;
  const seconds = Math.max(elapsedMs, 1) / 1_000;
  const perSecond = formatCount(items / seconds);
  const rate = `${perSecond} ${perSecond === "1" ? held.slice(0, -1) : held}/s`;
  if (totalBytes === undefined || bytes === 0) return `${formatSize(bytes)}, ${rate}`;
  const secondsLeft = Math.max(totalBytes - bytes, 0) / bytes * seconds;
  return `${formatSize(bytes)} of ${formatSize(totalBytes)}, ${rate}, ${
    Math.ceil(secondsLeft)
  } s left`;
}

function formatSize(bytes: number): string {
  let unit = 0;
  while (bytes >= 1_000 && unit < SIZE_UNITS.length - 1) {
    bytes /= 1_000;
    unit++;
  }
  return `${bytes.toFixed(unit > 0 && bytes < 10 ? 1 : 0)} ${SIZE_UNITS[unit]}`;
}

function formatCount(count: number): string {
  if (count < 1_000) return count.toFixed(0);
  return count < 1e6 ? `${(count / 1e3).toFixed(1)} k` : `${(count / 1e6).toFixed(1)} M`;
}

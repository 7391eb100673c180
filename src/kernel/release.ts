/**
 * Whether a kernel is of a release or of a later one.
 *
 * @param release What `uname -r` says; what begins with no two numbers is older than every other.
 */
export function isRelease(release: string, major: number, minor: number): boolean {
  const [ownMajor, ownMinor] = release.split(/[.-]/).map(Number);
  return ownMajor > major || ownMajor === major && ownMinor >= minor;
}

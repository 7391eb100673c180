/** A new folder for the files of a test, gone when disposed with all that is in it. */
export class Folder implements Disposable {
  /** Its path. */
  readonly path: string = Deno.makeTempDirSync({ prefix: "synsnoop-test-" });

  /** Writes a file in it. @returns Its path. */
  write(name: string, content: string | Uint8Array): string {
    const path = `${this.path}/${name}`;
    if (typeof content === "string") Deno.writeTextFileSync(path, content);
    else Deno.writeFileSync(path, content);
    return path;
  }

  /** Makes a FIFO in it. @returns Its path. */
  fifo(name = "fifo"): string {
    const path = `${this.path}/${name}`;
    const { success, stderr } = new Deno.Command("mkfifo", { args: [path] }).outputSync();
    if (!success) throw new Error(new TextDecoder().decode(stderr).trim());
    return path;
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

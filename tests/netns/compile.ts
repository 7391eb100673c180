/** Builds a C program of the tests. @returns Its path in a folder that the caller removes. */
export async function compileC(source: URL, folder: string): Promise<string> {
  const path = `${folder}/${source.pathname.split("/").pop()!.replace(/\.c$/, "")}`;
  const { success, stderr } = await new Deno.Command("gcc", {
    args: ["-O2", "-Wall", "-Werror", "-pthread", "-o", path, source.pathname],
    stdin: "null",
    stdout: "null",
  }).output();
  if (!success) throw new Error(`Cannot compile "${source}": ${new TextDecoder().decode(stderr)}`);
  return path;
}

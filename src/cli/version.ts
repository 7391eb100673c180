/** The version of this tool, as `deno.json` has it. */
export async function readVersion(): Promise<string> {
  const path = import.meta.resolve("../../deno.json");
  const { default: config } = await import(path, { with: { type: "json" } });
  return config.version;
}

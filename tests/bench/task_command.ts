import config from "../../deno.json" with { type: "json" };
import { MAIN } from "../netns/tracer.ts";

/** How a task starts the tool, but for the setup: from any folder, by this runtime. */
export function taskCommand(task: "trace" | "read"): readonly string[] {
  return config.tasks[task].command.split(" ")
    .map((word) => ({ deno: Deno.execPath(), "src/main.ts": MAIN })[word] ?? word);
}

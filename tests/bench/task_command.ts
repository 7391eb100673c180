import config from "../../deno.json" with { type: "json" };
import { MAIN } from "../netns/tracer.ts";

/** A variable of the environment before a command. */
const ASSIGNMENT = /^[A-Z_]+=/;

/** How a task starts the tool: from any folder, by this runtime. */
export function taskCommand(task: "trace" | "read"): readonly string[] {
  return config.tasks[task].command.split(" ")
    .filter((word) => !ASSIGNMENT.test(word))
    .map((word) => ({ deno: Deno.execPath(), "src/main.ts": MAIN })[word] ?? word);
}

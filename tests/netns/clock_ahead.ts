// Loaded before the tool: puts Date.now ahead by the hours that the file of HOURS_AHEAD says at the time.
const file = Deno.env.get("HOURS_AHEAD")!;
const now = Date.now;
Date.now = () => now() + Number(Deno.readTextFileSync(file)) * 3_600_000;

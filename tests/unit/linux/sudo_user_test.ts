import { assertEquals } from "@std/assert";
import { environmentWords, parsePasswd, privilegeWords } from "../../../src/linux/sudo_user.ts";

const LINE = "ann:x:1000:100:Ann,,,:/users/ann:/bin/zsh\n";
const ANN = { name: "ann", uid: 1000, gid: 100, home: "/users/ann", shell: "/bin/zsh" };

Deno.test("parsePasswd takes the line of the user alone, with the group that sudo tells", () => {
  assertEquals(parsePasswd(LINE, 1000, 100), ANN);
  assertEquals(parsePasswd(LINE, 1000, 27)?.gid, 27);
  assertEquals(parsePasswd("ann:x:1000:100:::\n", 1000, 100), {
    ...ANN,
    home: undefined,
    shell: undefined,
  });
  for (const line of ["", "ann", "ann:x:1001:100::/:/bin/sh"]) {
    assertEquals(parsePasswd(line, 1000, 100), undefined, line);
  }
});

Deno.test("environmentWords gives back what sudo has changed, and nothing that is not known", () => {
  const words = environmentWords(ANN);
  assertEquals(words.slice(words.indexOf("SUDO_USER") + 1), [
    ...["HOME=/users/ann", "LOGNAME=ann", "SHELL=/bin/zsh", "USER=ann"],
  ]);
  assertEquals(words[0], "-u");
  const known = environmentWords({ name: "1000", uid: 1000, gid: 100 });
  assertEquals(known.filter((word) => word.includes("=")), ["LOGNAME=1000", "USER=1000"]);
});

Deno.test("privilegeWords asks for the groups of a user who is in a database", () => {
  assertEquals(privilegeWords(ANN), ["--reuid", "1000", "--regid", "100", "--init-groups"]);
  assertEquals(privilegeWords({ name: "1000", uid: 1000, gid: 100 }).at(-1), "--clear-groups");
});

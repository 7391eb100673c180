import { assertEquals } from "@std/assert";
import { findUid } from "../../../../src/cli/process/users.ts";

const PASSWD = "root:x:0:0:root:/root:/bin/bash\n" +
  "# a comment\n\nbroken\nhalf:x\nodd:x:12a:1::/:\n" +
  "www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\n" +
  "www-data:x:34:34::/:\nlast:x:4294967294:1::/:";

for (
  const [name, uid] of [
    ["root", 0],
    ["www-data", 33],
    ["last", 4_294_967_294],
    // Neither a part of a name nor what stands elsewhere in its line.
    ["www", undefined],
    ["/root", undefined],
    ["half", undefined],
    ["odd", undefined],
    ["broken", undefined],
    ["", undefined],
  ] as const
) {
  Deno.test(`findUid finds ${uid} of "${name}"`, () => {
    assertEquals(findUid(PASSWD, name), uid);
  });
}

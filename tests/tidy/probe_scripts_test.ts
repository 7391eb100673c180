// bpf/handshake.bt gives three scripts, of which this machine's kernel may run one: what is written for
// one kind and missing in another is found here.
import { assertEquals } from "@std/assert";
import { MECHANISMS } from "../../src/kernel/choose_probes.ts";
import { probeScript } from "../../src/kernel/probe_script.ts";

const SOURCE = await Deno.readTextFile(new URL("../../bpf/handshake.bt", import.meta.url));

/** The probes of a script by their first lines, without comments and texts. */
function probesOf(script: string): [name: string, body: string][] {
  const code = script.replaceAll(/\/\*[^]*?\*\//g, "").replaceAll(/"[^"\n]*"/g, '""');
  return code.split(/^(?=\w+:\S+$|BEGIN$|END$)/m).slice(1)
    .map((text) => [text.slice(0, text.indexOf("\n")), text]);
}

for (const mechanism of MECHANISMS) {
  Deno.test(`every probe of the script of ${mechanism} sets the variables that it reads`, () => {
    const probes = probesOf(probeScript(SOURCE, mechanism));
    assertEquals(probes.map(([name]) => name).includes("END"), true);
    const unset = probes.flatMap(([name, body]) => {
      const read = new Set(Array.from(body.matchAll(/\$([a-z]\w*)/gi), ([, variable]) => variable));
      const set = new Set(Array.from(body.matchAll(/\$(\w+) = /g), ([, variable]) => variable));
      return [...read].filter((variable) => !set.has(variable)).map((each) => `${name}: $${each}`);
    });
    assertEquals(unset, []);
  });

  Deno.test(`the script of ${mechanism} has parameters where there are some, and no mark`, () => {
    for (const [name, body] of probesOf(probeScript(SOURCE, mechanism))) {
      const hasParameters = /^(k(ret)?func|tracepoint):/.test(name);
      assertEquals(/\bargs->/.test(body) && !hasParameters, false, name);
      assertEquals(/\barg\d/.test(body) && !name.startsWith("kprobe:"), false, name);
      assertEquals(/(functions|tracepoint): (begin|end)/.test(body), false, name);
    }
  });

  Deno.test(`the script of ${mechanism} clears every map at its end`, () => {
    const probes = probesOf(probeScript(SOURCE, mechanism));
    const end = probes.find(([name]) => name === "END")![1];
    const maps = new Set(
      probes.flatMap(([, body]) => Array.from(body.matchAll(/(@\w+)/g), ([, map]) => map)),
    );
    for (const map of maps) assertEquals(end.includes(`clear(${map});`), true, map);
  });
}

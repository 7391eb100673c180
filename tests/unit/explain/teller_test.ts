import { assertEquals } from "@std/assert";
import { StoryTeller } from "../../../src/explain/teller.ts";
import { NO_ROW, type Sink } from "../../../src/pipeline/sink.ts";
import type { Story } from "../../../src/explain/story.ts";
import { makeHandshake, WORKED_EXAMPLE as HANDSHAKE } from "../record/sample_handshakes.ts";
import { sourceOf } from "../pipeline/stand_ins.ts";
import { readInto } from "../pipeline/read_files.ts";
import { buildConversation, WORKED_EXAMPLE } from "./build_conversation.ts";

const kindsOf = ({ steps }: Story) => steps.map(({ kind }) => kind);

Deno.test("StoryTeller tells each handshake of a capture by its packets", () => {
  const teller = new StoryTeller(64);
  const stories: Story[] = [];
  const sink: Sink = {
    label: "stories",
    begin: (source) => teller.begin(source),
    keepPackets: (rows) => teller.keepPackets(rows),
    take: (handshake, row) => stories.push(teller.tell(handshake, row)),
    flush: () => {},
    end: () => {},
  };
  const again = { ...WORKED_EXAMPLE.packets[0], atNs: 20_000_000, sequence: 5, sourcePort: 7 };
  readInto([sink], [buildConversation({ packets: [...WORKED_EXAMPLE.packets, again] })]);
  assertEquals(stories.map(kindsOf), [["packet", "packet", "packet"], ["packet"]]);
});

Deno.test("StoryTeller names a container by its name, else by its id", () => {
  const texts = [{ id: "3f9a", name: "web" }, { id: "3f9a" }, undefined].map((container) => {
    const teller = new StoryTeller();
    teller.begin(
      sourceOf({ host: "web1", interfaceName: () => undefined, container: () => container }),
    );
    const handshake = makeHandshake({
      client: { address: "10.0.0.1", process: { pid: 1, comm: "a", uid: 0, cgroup: 1 } },
      server: { address: "10.0.0.2" },
    });
    return teller.tell(handshake, NO_ROW).facts.find(({ name }) => name === "client")?.text;
  });
  assertEquals(texts, [
    "10.0.0.1:0, a (process 1, user 0, container web)",
    "10.0.0.1:0, a (process 1, user 0, container 3f9a)",
    "10.0.0.1:0, a (process 1, user 0)",
  ]);
});

Deno.test("StoryTeller tells a record by what it says, and needs no packets for that", () => {
  const teller = new StoryTeller();
  teller.begin(sourceOf({ host: "web1", interfaceName: () => "eth0" }));
  const kinds = kindsOf(teller.tell(HANDSHAKE, NO_ROW)).filter((kind) => kind !== "kernel");
  assertEquals(kinds, ["told", "told", "told"]);
});

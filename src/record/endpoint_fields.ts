import type { Endpoint } from "../match/handshake.ts";
import { addressText } from "./address_text.ts";
import type { Field, FieldValue, RecordContext } from "./field.ts";

/** The fields of one end, and the packet that it announced itself with. */
export function endpointFields(end: "client" | "server", packet: string): Field[] {
  const field = (
    name: string,
    type: Field["type"],
    meaning: string,
    get: (endpoint: Endpoint, context: RecordContext) => FieldValue | undefined,
    rest: Partial<Field> = {},
  ): Field => ({
    path: `${end}.${name}`,
    type,
    meaning,
    since: 1,
    get: end === "client"
      ? (handshake, context) => get(handshake.client, context)
      : (handshake, context) => get(handshake.server, context),
    ...rest,
  });
  return [
    field("address", "string", "IP address", (it) => addressText(it.address), { always: true }),
    field("port", "integer", "TCP port; 0: none was chosen yet", (it) => it.port, {
      always: true,
    }),
    field("isn", "integer", `Initial sequence number: Seq of the ${packet}`, (it) => it.isn),
    field("mss", "integer", `Maximum segment size announced in the ${packet}`, (it) => it.mss, {
      unit: "bytes",
    }),
    field("window", "integer", `Window in the ${packet}, never scaled there`, (it) => it.window, {
      unit: "bytes",
    }),
    field(
      "window_scale",
      "integer",
      `Window scale shift announced in the ${packet}`,
      (it) => it.windowScale,
    ),
    field(
      "sack_permitted",
      "boolean",
      `SACK permitted announced in the ${packet}`,
      (it) => it.sackPermitted,
    ),
    field("timestamps", "boolean", `Timestamps announced in the ${packet}`, (it) => it.timestamps),
    field(
      "process.pid",
      "integer",
      end === "client"
        ? "Process that called connect()"
        : "Process that listens: it holds the listening socket; of several that do the one that " +
          "the others descend from, else the one that accepted",
      (it) => it.process?.pid,
    ),
    field("process.comm", "string", "Its command name", (it) => it.process?.comm),
    field("process.uid", "integer", "User that owns the socket", (it) => it.process?.uid),
    field("process.cgroup", "integer", "Id of the socket's cgroup v2", (it) => it.process?.cgroup),
    field(
      "process.cgroup_path",
      "string",
      "Its path in the cgroup v2 hierarchy, where that is mounted and the cgroup was still there",
      (it, context) => {
        const cgroup = it.process?.cgroup;
        return cgroup === undefined ? undefined : context.cgroupPath?.(cgroup);
      },
    ),
    field(
      "process.thread.tid",
      "integer",
      `Thread that called ${end === "client" ? "connect()" : "listen() or accept()"}, where it ` +
        "is not the process's first",
      (it) => it.process?.thread?.tid,
    ),
    field("process.thread.comm", "string", "Its name", (it) => it.process?.thread?.comm),
    field(
      "process.kernel",
      "boolean",
      "Present, and true, where it is a thread of the kernel, such as NFS connects from",
      (it) => it.process?.kernel,
    ),
  ];
}

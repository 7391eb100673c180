import type { Endpoint } from "../match/handshake.ts";
import { parseAddress } from "../wire/address.ts";
import { readAddress } from "../wire/address_bytes.ts";
import { AddressText } from "./address_text.ts";
import {
  boolean,
  type Field,
  type FieldValue,
  integer,
  text,
  UINT16,
  UINT64,
  UINT8,
} from "./field.ts";
import type { RecordContext } from "./record_context.ts";

type End = "client" | "server";
/** What gives a field of an end. */
type Get = (endpoint: Endpoint, context: RecordContext) => FieldValue | undefined;
/** What gives the same of a handshake. */
type Of = (get: Get) => Field["get"];

/** The fields of one end, and the packet that it announced itself with. */
export function endpointFields(end: End, packet: string): Field[] {
  const of: Of = (get) =>
    end === "client"
      ? (handshake, context) => get(handshake.client, context)
      : (handshake, context) => get(handshake.server, context);
  return [...announcedFields(end, packet, of), ...processFields(end, of)];
}

/** Where it is, and what it announced. */
function announcedFields(end: End, packet: string, of: Of): Field[] {
  const addressText = new AddressText();
  return [
    text(`${end}.address`, "IP address", of((it) => addressText.of(it.address)), {
      always: true,
      varies: true,
      judges: true,
      read: (it, bytes, first, behind) => readAddress(bytes, first, behind, it[end].address),
      set: (handshake, value: string) => setAddress(handshake[end].address, value),
    }),
    integer(`${end}.port`, "TCP port; 0: none was chosen yet", of((it) => it.port), {
      always: true,
      varies: true,
      range: UINT16,
    }),
    integer(`${end}.isn`, `Initial sequence number: Seq of the ${packet}`, of((it) => it.isn), {
      varies: true,
    }),
    integer(`${end}.mss`, `Maximum segment size announced in the ${packet}`, of((it) => it.mss), {
      unit: "bytes",
      range: UINT16,
    }),
    integer(`${end}.window`, `Window in the ${packet}, never scaled there`, of((it) => it.window), {
      unit: "bytes",
      range: UINT16,
    }),
    integer(
      `${end}.window_scale`,
      `Window scale shift announced in the ${packet}`,
      of((it) => it.windowScale),
      { range: UINT8 },
    ),
    boolean(
      `${end}.sack_permitted`,
      `SACK permitted announced in the ${packet}`,
      of((it) => it.sackPermitted),
    ),
    boolean(
      `${end}.timestamps`,
      `Timestamps announced in the ${packet}`,
      of((it) => it.timestamps),
    ),
  ];
}

/** Whose it is. */
function processFields(end: End, of: Of): Field[] {
  const isClient = end === "client";
  const process = `${end}.process`;
  const thread = `${process}.thread`;
  return [
    integer(
      `${process}.pid`,
      isClient
        ? "Process that called connect()"
        : "Process that listens: it holds the listening socket; of several that do the one that " +
          "the others descend from, else the one that accepted",
      of((it) => it.process?.pid),
      { always: process },
    ),
    text(`${process}.comm`, "Its command name", of((it) => it.process?.comm), { always: process }),
    integer(`${process}.uid`, "User that owns the socket", of((it) => it.process?.uid), {
      always: process,
    }),
    integer(`${process}.cgroup`, "Id of the socket's cgroup v2", of((it) => it.process?.cgroup), {
      range: UINT64,
    }),
    text(
      `${process}.cgroup_path`,
      "Its path in the cgroup v2 hierarchy, where that is mounted and the cgroup was still there",
      of((it, context) => {
        const cgroup = it.process?.cgroup;
        return cgroup === undefined ? undefined : context.cgroupPath?.(cgroup);
      }),
      {
        needs: toldOfCgroup("cgroup_path"),
        set: (handshake, path: string, context) => {
          const cgroup = handshake[end].process?.cgroup;
          if (cgroup !== undefined) context.setCgroupPath(cgroup, path);
        },
      },
    ),
    ...CONTAINER_PARTS.map(([part, meaning]) => containerField(end, of, part, meaning)),
    integer(
      `${thread}.tid`,
      `Thread that called ${isClient ? "connect()" : "listen() or accept()"}, where it ` +
        "is not the process's first",
      of((it) => it.process?.thread?.tid),
      { always: thread },
    ),
    text(`${thread}.comm`, "Its name", of((it) => it.process?.thread?.comm)),
    boolean(
      `${process}.kernel`,
      "Present, and true, where it is a thread of the kernel, such as NFS connects from",
      of((it) => it.process?.kernel),
    ),
  ];
}

const CONTAINER_PARTS = [
  [
    "id",
    "Id of the container that its cgroup belongs to, where its runtime gives ids: of several " +
    "within each other the outermost",
  ],
  [
    "name",
    "Its name, where the runtime's files or the cgroup tell it; of a pod's NAMESPACE/POD/CONTAINER",
  ],
] as const;

/** What either end tells of its cgroup: where that is one, the server's word counts for both. */
function toldOfCgroup(name: string): string[] {
  return ["client", "server"].flatMap((end) => [`${end}.process.cgroup`, `${end}.process.${name}`]);
}

function containerField(end: End, of: Of, part: "id" | "name", meaning: string): Field {
  return text(
    `${end}.process.container.${part}`,
    meaning,
    of((it, context) => {
      const cgroup = it.process?.cgroup;
      return cgroup === undefined ? undefined : context.container?.(cgroup)?.[part];
    }),
    {
      needs: toldOfCgroup(`container.${part}`),
      set: (handshake, value: string, context) => {
        const cgroup = handshake[end].process?.cgroup;
        if (cgroup === undefined) return;
        if (part === "id") context.setContainerId(cgroup, value);
        else context.setContainerName(cgroup, value);
      },
    },
  );
}

/** Puts the address that a text says into four words. @returns False where it says none. */
export function setAddress(into: Uint32Array, text: string): boolean {
  const words = parseAddress(text);
  if (words !== undefined) { for (let at = 0; at < words.length; at++) into[at] = words[at]; }
  return words !== undefined;
}

import { messageOf } from "../text/message.ts";
import { formatListenAddress, type ListenAddress } from "./listen_address.ts";
import type { Connection, Listener } from "./page_server.ts";

/**
 * Listens.
 *
 * @throws {Error} The reason alone, where that is not possible.
 */
export async function openListener(address: ListenAddress): Promise<Listener> {
  switch (address.kind) {
    case "tcp": {
      const { hostname, port } = address;
      const listener = listen(() => Deno.listen({ hostname, port }));
      const where = { ...address, port: listener.addr.port };
      return new DenoListener(listener, `http://${formatListenAddress(where)}`, {
        isLoopback: address.isLocal,
      });
    }
    case "unix": {
      const { path } = address;
      await removeStale(path);
      const listener = listen(() => Deno.listen({ transport: "unix", path }));
      return new DenoListener(listener, `unix:${path}`, {
        isLoopback: false,
        onClose: () => Deno.removeSync(path),
      });
    }
    case "systemd": {
      // FFI is loaded where it is asked for.
      const { takeHandedListener }: typeof import("./handed_listener.ts") = await import(
        import.meta.resolve("./handed_listener.ts")
      );
      return takeHandedListener();
    }
  }
}

function listen<T>(open: () => T): T {
  try {
    return open();
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) throw new Error("the address is in use");
    if (error instanceof Deno.errors.AddrNotAvailable) {
      throw new Error("this host does not have the address");
    }
    if (error instanceof Deno.errors.NotFound) throw new Error("its folder is not there");
    throw new Error(messageOf(error));
  }
}

/** Removes a Unix socket at which nobody listens any more, as one is left by who was killed. */
async function removeStale(path: string): Promise<void> {
  try {
    if (!Deno.lstatSync(path).isSocket) return;
    (await Deno.connect({ transport: "unix", path })).close();
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) Deno.removeSync(path);
  }
}

class DenoListener implements Listener {
  readonly where: string;
  readonly isLoopback: boolean;
  readonly #listener: Deno.Listener;
  readonly #onClose: () => void;
  #isClosed = false;

  constructor(
    listener: Deno.Listener,
    where: string,
    { isLoopback, onClose = () => {} }: { isLoopback: boolean; onClose?: () => void },
  ) {
    this.#listener = listener;
    this.where = where;
    this.isLoopback = isLoopback;
    this.#onClose = onClose;
  }

  async accept(): Promise<Connection | undefined> {
    try {
      return await this.#listener.accept();
    } catch (error) {
      if (this.#isClosed) return undefined;
      throw error;
    }
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#listener.close();
    try {
      this.#onClose();
    } catch {
      // Another one took the path meanwhile, or the folder.
    }
  }
}

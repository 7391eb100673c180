/** A process that has a descriptor of a listening socket. */
export interface Holder {
  /** Process id. */
  pid: number;
  /** Its ancestors' process ids, its parent first. */
  ancestors: readonly number[];
  /** Path of the program that it runs, undefined where that cannot be seen. */
  program: string | undefined;
  /** Whether it is the first process of its pid namespace, as systemd is. */
  isInit: boolean;
  /** Whether it was started with this and other sockets by its service manager (sd_listen_fds(3)). */
  isActivated: boolean;
}

/**
 * Chooses, of the processes that hold one listening socket, the one that a handshake's record names.
 *
 * Of a server that forks (nginx, Apache, sshd) it is the process that all others descend from, as long
 * as they run its program. A service manager holds the sockets of the services that it started, and
 * does not serve: it is not chosen where a service holds the socket. Where two programs, or processes
 * that do not descend from one of them, hold it, one may have been handed it by the other.
 *
 * @returns Undefined where it cannot be told which of them serves.
 */
export function chooseHolder<H extends Holder>(holders: readonly H[]): H | undefined {
  if (holders.length <= 1) return holders[0];
  const activated = holders.filter(({ isActivated }) => isActivated);
  const serving = activated.length > 0
    ? holders.filter((holder) => activated.some(({ pid }) => isOf(holder, pid)))
    : withoutManager(holders);
  const first = serving.find(({ pid }) => serving.every((holder) => isOf(holder, pid)));
  if (first === undefined) return undefined;
  const sameProgram = first.program !== undefined &&
    serving.every(({ program }) => program === first.program);
  return serving.length === 1 || sameProgram ? first : undefined;
}

function withoutManager<H extends Holder>(holders: readonly H[]): readonly H[] {
  const manager = holders.find(({ isInit, pid }) =>
    isInit && holders.every((holder) => isOf(holder, pid))
  );
  // In a container the first process may be the server itself, and its children run its program.
  return manager &&
      holders.every((holder) =>
        holder === manager || holder.program !== undefined && holder.program !== manager.program
      )
    ? holders.filter((holder) => holder !== manager)
    : holders;
}

/** Whether a process is that one or descends from it. */
function isOf({ pid, ancestors }: Holder, other: number): boolean {
  return pid === other || ancestors.includes(other);
}

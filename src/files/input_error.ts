/** Why a file cannot be read, in words that fit behind "Cannot read ...: ". */
export class InputError extends Error {
  /** @param message Why. */
  constructor(message: string) {
    super(message);
    this.name = "InputError";
  }
}

/** That the compressed data of a file is damaged. */
export function broken(reason: string): InputError {
  return new InputError(`its compressed data is broken: ${reason}`);
}

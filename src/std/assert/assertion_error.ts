/** Thrown by every assertion of this package that does not hold. */
export class AssertionError extends Error {
  /**
   * Makes the error.
   *
   * @param message What did not hold, with the values.
   * @param options `cause`: the error behind it.
   */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "AssertionError";
  }
}

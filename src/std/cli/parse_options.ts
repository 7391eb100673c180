/** What the option `boolean` takes: names, or `true` for all. */
export type BooleanType = boolean | string | undefined;

/** What the options `string`, `collect` and `negatable` take: names. */
export type NameType = string | undefined;

/** Default values by name. */
export type DefaultType = Record<string, unknown> | undefined;

/** The options of `parseArgs`. */
export interface ParseOptions<
  TBooleans extends BooleanType = BooleanType,
  TStrings extends NameType = NameType,
  TCollectable extends NameType = NameType,
  TNegatable extends NameType = NameType,
  TDefault extends DefaultType = DefaultType,
  TDoubleDash extends boolean | undefined = boolean | undefined,
> {
  /**
   * Put what follows `--` into the result's `"--"` instead of its `_`.
   *
   * @default {false}
   */
  "--"?: TDoubleDash;

  /** Other names of an option. Each name gets the value. */
  alias?: Readonly<Record<string, string | readonly string[]>>;

  /**
   * Options without a value, `false` where absent. `true` makes each `--name` without `=` one.
   *
   * @default {false}
   */
  boolean?: TBooleans | ReadonlyArray<Extract<TBooleans, string>>;

  /** The value of an option that is absent. */
  default?: TDefault;

  /**
   * Put everything after the first argument that is no option into the result's `_`.
   *
   * @default {false}
   */
  stopEarly?: boolean;

  /** Options whose value stays a string. Where it is missing it is `""`. */
  string?: TStrings | ReadonlyArray<Extract<TStrings, string>>;

  /** Options that may be repeated: their values form an array, `[]` where absent. */
  collect?: TCollectable | ReadonlyArray<Extract<TCollectable, string>>;

  /** Options that `--no-name` sets to `false`. */
  negatable?: TNegatable | ReadonlyArray<Extract<TNegatable, string>>;

  /**
   * Called for each argument that no other option names: `arg` as it was written, and the name and
   * value where it is an option. When it returns `false` the argument is left out of the result.
   */
  unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

/** The type of one value of an option, before defaults. */
export type SingleValue<K, TBooleans, TStrings, TNegatable> =
  | (K extends TBooleans ? boolean : K extends TStrings ? string : unknown)
  | (K extends TNegatable ? false : never);

/** The type of an option, before defaults. */
export type OptionValue<K, TBooleans, TStrings, TCollectable, TNegatable> = K extends TCollectable
  ? Array<SingleValue<K, TBooleans, TStrings, undefined>> | (K extends TNegatable ? false : never)
  : SingleValue<K, TBooleans, TStrings, TNegatable>;

/** The options that may be absent: strings that are neither collected nor have a default. */
export type MaybeAbsent<TStrings, TCollectable, TDefault> = Exclude<
  Extract<TStrings, string>,
  TCollectable | keyof TDefault
>;

/** The options that are always there. */
export type AlwaysPresent<TBooleans, TStrings, TCollectable, TDefault> = Exclude<
  Extract<TBooleans | TStrings | TCollectable, string>,
  MaybeAbsent<TStrings, TCollectable, TDefault>
>;

/** The options of a result, by name. */
export type Values<
  TBooleans extends BooleanType,
  TStrings extends NameType,
  TCollectable extends NameType,
  TNegatable extends NameType,
  TDefault extends DefaultType,
> =
  & {
    [K in AlwaysPresent<TBooleans, TStrings, TCollectable, TDefault>]:
      | OptionValue<K, TBooleans, TStrings, TCollectable, TNegatable>
      | (K extends keyof TDefault ? TDefault[K] : never);
  }
  & {
    [K in MaybeAbsent<TStrings, TCollectable, TDefault>]?: OptionValue<
      K,
      TBooleans,
      TStrings,
      TCollectable,
      TNegatable
    >;
  };

/** The value returned from `parseArgs`. */
export type Args<
  TArgs extends object = Record<string, unknown>,
  TDoubleDash extends boolean | undefined = undefined,
> =
  & { [name: string]: unknown }
  & TArgs
  & {
    /** The arguments that belong to no option. */
    _: Array<string | number>;
  }
  & (TDoubleDash extends true ? {
      /** The arguments after `--`. */
      "--": string[];
    }
    : object);

/** @module */

/** What `parseArgs` is told about the flags. */
export interface ParseOptions<
  B extends string = string,
  S extends string = string,
  C extends string = string,
  N extends string = string,
  D extends Record<string, unknown> = Record<string, unknown>,
  A extends Record<string, string | readonly string[]> = Record<
    string,
    string | readonly string[]
  >,
  DD extends boolean = boolean,
> {
  /**
   * Whether what follows a `--` is put under `"--"` instead of `_`.
   *
   * @default {false}
   */
  "--"?: DD;
  /** Other names of a flag. */
  alias?: A;
  /**
   * Flags without a value, `false` unless given. `true`: every double-hyphenated flag
   * without an equals sign.
   */
  boolean?: boolean | B | readonly B[];
  /** Values of flags that are not given. */
  default?: D;
  /**
   * Whether everything after the first non-flag is left alone.
   *
   * @default {false}
   */
  stopEarly?: boolean;
  /** Flags whose value stays a text, even if it looks like a number. `_` is one of them. */
  string?: S | readonly S[];
  /** Flags that can be given several times: their values are a list, empty unless given. */
  collect?: C | readonly C[];
  /** Flags that `--no-<name>` sets to `false`. */
  negatable?: N | readonly N[];
  /**
   * Told of each flag that isn't named here (and, without key and value, of each non-flag);
   * what it answers with `false` is left out.
   */
  unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

/** Flag names that are known one by one; a mere `string` tells nothing. */
type Known<T> = string extends T ? never : Exclude<T, "_">;

/** What a flag can hold: a list where collected, `false` too where negatable. */
type Value<Name, T, C, N> = Name extends C ? T[]
  : Name extends N ? T | false
  : T;

/** Flags that always have a value: booleans, collected ones, those with a default. */
type Always<B, S, C, N, D> =
  & { [K in Extract<B, string>]: Value<K, boolean, C, never> }
  & { [K in Extract<S, C> & string]: string[] }
  & { [K in Exclude<C, S | B> & string]: unknown[] }
  & {
    [K in keyof D & Exclude<S, C>]: D[K] | Value<K, string, C, N>;
  }
  & { [K in Exclude<keyof D, S | B | C>]: unknown };

/** Flags that may be absent. */
type Sometimes<S, C, N, D> = {
  [K in Exclude<S, C | keyof D> & string]?: Value<K, string, C, N>;
};

/** Adds each alias with the type of what it stands for. */
type Aliased<T, A> = {
  [K in keyof T as K | NamesOf<K, A>]: T[K];
};

type NamesOf<K, A> = K extends keyof A ? A[K] extends readonly (infer Name extends string)[] ? Name
  : A[K] extends string ? A[K]
  : never
  : never;

/** What `parseArgs` answers. */
export type Args<
  B extends string = never,
  S extends string = never,
  C extends string = never,
  N extends string = never,
  D = Record<never, never>,
  A = Record<never, never>,
  DD extends boolean = false,
> =
  & Record<string, unknown>
  & Aliased<
    & Always<Known<B>, Known<S>, Known<C>, N, D>
    & Sometimes<Known<S>, Known<C>, N, D>,
    A
  >
  & {
    /** What isn't a flag. */
    _: (string | number)[];
  }
  & (DD extends true ? {
      /** What follows the `--`. */
      "--": string[];
    }
    : Record<never, never>);

/** @module */

/**
 * Deep equality as the assertions understand it: `NaN` equals itself, `0` equals `-0`,
 * a missing property differs from an undefined one, and an object without a prototype
 * equals a plain one.
 *
 * @param c The actual value.
 * @param d The expected value.
 * @returns Whether they are equal.
 * @throws {TypeError} for `WeakMap` and `WeakSet`, whose contents can't be seen.
 *
 * @example
 * ```ts
 * import { assert, equal } from "@std/assert";
 *
 * assert(equal({ a: [1] }, { a: [1] }));
 * ```
 */
export function equal(c: unknown, d: unknown): boolean {
  // Pairs that are being compared: a cycle that leads back to one of them holds.
  const open = new Map<object, object>();

  function same(a: unknown, b: unknown): boolean {
    if (Object.is(a, b) || (a === 0 && b === 0)) return true;
    if (!isObject(a) || !isObject(b) || !sameKind(a, b)) return false;
    if (a instanceof RegExp || a instanceof URL) return String(a) === String(b);
    if (a instanceof Date && b instanceof Date) {
      return Object.is(a.getTime(), b.getTime());
    }
    if (a instanceof WeakMap || a instanceof WeakSet) {
      throw new TypeError(`cannot compare ${a.constructor.name} instances`);
    }
    if (a instanceof WeakRef && b instanceof WeakRef) {
      return same(a.deref(), b.deref());
    }
    if (open.get(a) === b) return true;
    open.set(a, b);
    if (a instanceof Set && b instanceof Set) {
      return sameMembers([...a], [...b], same);
    }
    if (a instanceof Map && b instanceof Map) {
      return sameMembers(
        [...a],
        [...b],
        (x, y) => same(x[0], y[0]) && same(x[1], y[1]),
      );
    }
    return sameProperties(a, b, same);
  }

  return same(c, d);
}

type Same = (a: unknown, b: unknown) => boolean;

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function sameKind(a: object, b: object): boolean {
  // An object made by Object.create(null) has no constructor; it counts as plain.
  return (a.constructor ?? Object) === (b.constructor ?? Object);
}

function sameMembers<T>(
  a: T[],
  b: T[],
  matches: (x: T, y: T) => boolean,
): boolean {
  if (a.length !== b.length) return false;
  const rest = [...b];
  return a.every((x) => {
    const at = rest.findIndex((y) => matches(x, y));
    if (at >= 0) rest.splice(at, 1);
    return at >= 0;
  });
}

function sameProperties(a: object, b: object, same: Same): boolean {
  const keys = visibleKeys(a);
  if (keys.length !== visibleKeys(b).length) return false;
  return keys.every((key) =>
    Object.hasOwn(b, key) && same(Reflect.get(a, key), Reflect.get(b, key))
  ) && (!(a instanceof Error) || sameError(a, b));
}

function visibleKeys(value: object): (string | symbol)[] {
  return Reflect.ownKeys(value).filter((key) =>
    Object.prototype.propertyIsEnumerable.call(value, key)
  );
}

function sameError(a: Error, b: object): boolean {
  // Not enumerable, yet all that tells two errors apart.
  return b instanceof Error && a.name === b.name && a.message === b.message;
}

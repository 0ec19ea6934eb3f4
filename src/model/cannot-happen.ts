/** Ends a `switch`: the compiler complains if a case is missing. */
export function cannotHappen(value: never): never {
  throw new Error(`unexpected ${JSON.stringify(value)}`);
}

/** Closes a `switch`: the compiler objects when a case is missing. */
export function cannotHappen(value: never): never {
  throw new Error(`unexpected ${JSON.stringify(value)}`);
}

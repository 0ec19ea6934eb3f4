/**
 * The value of a key that was not written by xy: a name of a server, an action, a variable. A plain object also answers
 * to `constructor`, `toString` and the like, which are names as good as others.
 */
export function own<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

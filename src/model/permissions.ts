/** Mode and group of a file or folder, as stat(2) gives them. */
export interface Permissions {
  readonly mode: number;
  readonly gid: number;
}

/**
 * Whether anybody but the owner may write. `isPrivateGroup`: whether nobody but the account is a member of a group.
 * Without it, no group is.
 */
export function othersCanWrite(
  { mode, gid }: Permissions,
  isPrivateGroup?: (gid: number) => boolean,
): boolean {
  if ((mode & 0o002) !== 0) return true;
  return (mode & 0o020) !== 0 && isPrivateGroup?.(gid) !== true;
}

/** Whoever may add entries to such a folder can neither remove nor rename those of others. */
export const isSticky = ({ mode }: Pick<Permissions, "mode">) => (mode & 0o1000) !== 0;

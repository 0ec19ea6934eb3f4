/** Variables that say where the files of an account are. */
export const BASE_FOLDERS = [
  "HOME",
  "XDG_RUNTIME_DIR",
  "XDG_STATE_HOME",
  "XDG_CONFIG_HOME",
  "XDG_CACHE_HOME",
] as const;

/**
 * The folder that a variable of the environment names. A relative one is none, as the XDG base directory specification
 * says: it would be another one in each working folder, and a repository could bring it along.
 */
export function baseFolder(
  env: Readonly<Record<string, string | undefined>>,
  name: (typeof BASE_FOLDERS)[number],
): string | undefined {
  const value = env[name];
  return value?.startsWith("/") ? value : undefined;
}

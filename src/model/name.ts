/** What projects and servers may be called: safe in a path, a unit's name and a URL. */
export const NAME_PATTERN = /^[a-z0-9][a-z0-9_-]{0,62}$/;

/** The project of the account's own root. */
export const DEFAULT_PROJECT = "default";

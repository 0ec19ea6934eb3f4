/** What projects and servers may be called: safe in a path, a unit's name and a URL. */
export const NAME_PATTERN = /^[a-z0-9][a-z0-9_-]{0,62}$/;

/** What {@link NAME_PATTERN} asks for, as the way out of a message. */
export const NAME_RULE = 'a-z, 0-9, "-" and "_", at most 63 characters, beginning with a letter or digit';

/** The project of the account's own root. */
export const DEFAULT_PROJECT = "default";

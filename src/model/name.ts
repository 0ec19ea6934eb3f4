/** Allowed names of projects and servers: safe in paths, unit names and URLs. */
export const NAME_PATTERN = /^[a-z0-9][a-z0-9_-]{0,62}$/;

/** What {@link NAME_PATTERN} requires, as the way out in a message. */
export const NAME_RULE = 'a-z, 0-9, "-" and "_", at most 63 characters, beginning with a letter or digit';

/** The project of the account's own root. */
export const DEFAULT_PROJECT = "default";

/** Any text as a name, as near to it as can be: `My Dotfiles` → `my-dotfiles`. */
export function fitName(text: string): string {
  const fitted = text
    .normalize("NFKD")
    .toLowerCase()
    .replace(/\p{M}/gu, "")
    .replace(/[^a-z0-9_-]+/g, "-")
    .replace(/^[^a-z0-9]+/, "")
    .slice(0, 63)
    .replace(/-+$/, "");
  return fitted === "" ? DEFAULT_PROJECT : fitted;
}

import { isGlob, matchesTokens, tokensOf } from "./glob.ts";
import { nearest } from "./nearest.ts";

/** How words select servers, wherever some are chosen: by name, by a pattern of names, or by a tag. */

export interface Selectable {
  readonly name: string;
  readonly tags: readonly string[];
}

const TAG = "tag:";

/** Whether a word may select several: it is `tag:x`, or a pattern such as `web-*`. */
export const isPattern = (word: string): boolean => word.startsWith(TAG) || isGlob(word);

/** `tools/web-*` → the project's part and the rest. A tag may have slashes of its own. */
export function partsOf(word: string): { readonly project?: string; readonly rest: string } {
  const slash = word.startsWith(TAG) ? -1 : word.indexOf("/");
  return slash <= 0 ? { rest: word } : { project: word.slice(0, slash), rest: word.slice(slash + 1) };
}

/** What a word selects. In time of its length times that of a name or tag. */
export function selector(word: string): (one: Selectable) => boolean {
  if (!word.startsWith(TAG)) {
    const isMeant = matcher(word);
    return ({ name }) => isMeant(name);
  }
  const isMeant = matcher(word.slice(TAG.length));
  return ({ tags }) => tags.some(isMeant);
}

/** Whether a text is the one that is written, or fits what is written as a pattern. */
export function matcher(written: string): (text: string) => boolean {
  if (!isGlob(written)) return (text) => text === written;
  const tokens = tokensOf(written);
  return (text) => text === written || matchesTokens(tokens, text);
}

/** Names that are listed in a message. */
const MOST_NAMES = 10;

/** Why a word selects none of these, and what there is, as two clauses. `kinds`: what the names stand for. */
export function nothingSelected(
  word: string,
  all: readonly Selectable[],
  kinds: readonly string[] = ["server"],
): string {
  const what = kinds.join(" or ");
  if (word.startsWith(TAG)) {
    const tags = [...new Set(all.flatMap((one) => one.tags))].sort();
    const meant = nearest(word.slice(TAG.length), tags);
    const wayOut =
      meant !== undefined
        ? `did you mean "${TAG}${meant}"?`
        : tags.length === 0
          ? "none has any tags; add `tags` to its configuration and apply"
          : `known tags: ${listed(tags)}`;
    return `no ${what} has this tag; ${wayOut}`;
  }
  const names = all.map(({ name }) => name);
  const meant = nearest(word.replaceAll(/[*?[\]]/g, ""), names);
  const wayOut =
    meant === undefined
      ? `known ${kinds.map((kind) => `${kind}s`).join(" and ")}: ${listed(names) || "none"}`
      : `did you mean "${meant}"?`;
  return `${isGlob(word) ? `no ${what} has such a name` : `no such ${what}`}; ${wayOut}`;
}

function listed(words: readonly string[]): string {
  const more = words.length > MOST_NAMES ? `, and ${words.length - MOST_NAMES} more` : "";
  return words.slice(0, MOST_NAMES).join(", ") + more;
}

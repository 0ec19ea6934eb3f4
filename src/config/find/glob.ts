import { readdirSync } from "node:fs";
import { join } from "node:path";
import { isGlob, matchesTokens, tokensOf } from "../../model/glob.ts";

/** Patterns of file names: `*`, `?`, `[abc]`, `[!a-z]`, and `**` for folders at any depth. Hidden files are left out. */

/** Whether a name is one of those that a pattern without slashes means. In time of the one length times the other. */
export function matchesName(pattern: string, name: string): boolean {
  if (name.startsWith(".") && !pattern.startsWith(".")) return false;
  return matchesTokens(tokensOf(pattern), name);
}

/** Entries of folders that are looked at for one pattern. */
const MOST_ENTRIES = 10_000;

/** Paths that an absolute pattern means, in name order; undefined where there is too much to look at. */
export function expandGlob(pattern: string): string[] | undefined {
  let left = MOST_ENTRIES;
  const listed = (folder: string) => {
    const entries = entriesOf(folder);
    left -= entries.length + 1;
    return left < 0 ? [] : entries;
  };
  const below = (folder: string): string[] => {
    // A link may lead back to where it is.
    const folders = listed(folder).filter((entry) => entry.isDirectory() && !entry.name.startsWith("."));
    return [folder, ...folders.flatMap(({ name }) => below(join(folder, name)))];
  };
  let found: string[] = ["/"];
  for (const part of pattern.split("/").filter((one) => one !== "")) {
    if (part === "**") found = [...new Set(found.flatMap(below))];
    else if (isGlob(part))
      found = found.flatMap((folder) =>
        listed(folder).flatMap(({ name }) => (matchesName(part, name) ? [join(folder, name)] : [])),
      );
    else found = found.map((folder) => join(folder, part));
  }
  return left < 0 ? undefined : found;
}

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch {
    // A file, or a folder that is closed to us, has none that could match.
    return [];
  }
}

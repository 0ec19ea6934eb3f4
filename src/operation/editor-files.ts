import * as fs from "node:fs";
import { join } from "node:path";
import { EDITOR_DIGESTS } from "../config/write/editor-digests.ts";
import {
  EDITOR_FILES,
  isFromBeforeMarks,
  isLater,
  MARK_WITHIN,
  markOf,
} from "../config/write/editor-mark.ts";

/** The files beside a configuration that only editors and tsc read, and what of them is old. */

/**
 * Names of those files in a root that an earlier xy wrote and this one, of `version`, would write differently. Reads the
 * first lines of each; what is not a file, or cannot be read, is not one of them.
 */
export function olderEditorFiles(root: string, version: string): string[] {
  return EDITOR_FILES.filter((name) => {
    const head = headOf(join(root, name));
    if (head === undefined) return false;
    const mark = markOf(head);
    if (mark === undefined) return isFromBeforeMarks(name, head);
    return mark.digest !== EDITOR_DIGESTS[mark.what] && !isLater(mark.version, version);
  });
}

/** Says so, with the command that renews them. `folder`: the root as a person would type it; absent: it is found from here. */
export function olderEditorFilesText(names: readonly string[], folder?: string): string {
  const [are, them] = names.length === 1 ? ["is", "it"] : ["are", "them"];
  const where = folder === undefined ? "" : ` ${folder}`;
  return `${names.join(" and ")}, for your editor, ${are} from an earlier xy: \`xy init --refresh${where}\` renews ${them}`;
}

function headOf(path: string): string | undefined {
  let fd: number | undefined;
  try {
    // Opening a pipe would wait for a writer.
    if (!fs.statSync(path).isFile()) return undefined;
    fd = fs.openSync(path, "r");
    const bytes = Buffer.alloc(MARK_WITHIN);
    return bytes.toString("utf8", 0, fs.readSync(fd, bytes, 0, bytes.length, 0));
  } catch {
    return undefined;
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}

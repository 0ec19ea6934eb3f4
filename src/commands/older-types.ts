import { olderEditorFiles, olderEditorFilesText } from "../operation/editor-files.ts";
import { typedFolder } from "../system/paths.ts";
import { shortenPath } from "./shorten.ts";

/** A line for a person whose editor still has the types of an earlier xy; none where there is nothing to say. */
export function olderTypes(root: string, version: string): string[] {
  const names = olderEditorFiles(root, version);
  if (names.length === 0) return [];
  const here = typedFolder(process.env, process.cwd());
  const isAbove = here === root || here.startsWith(`${root}/`);
  return [olderEditorFilesText(names, isAbove ? undefined : shortenPath(root))];
}

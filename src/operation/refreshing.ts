import * as fs from "node:fs";
import { join } from "node:path";
import { discover } from "../config/find/discover.ts";
import {
  EDITOR_FILES,
  type EditorText,
  isFromBeforeMarks,
  isLater,
  markOf,
  unmarked,
} from "../config/write/editor-mark.ts";
import { editorDigest } from "../config/write/editor-texts.ts";
import { writtenText } from "../config/write/init.ts";
import type { Result } from "../model/diagnostic.ts";
import { readText, writeAtomic } from "../system/files.ts";
import type { Environment } from "../system/paths.ts";
import { isPrivateGroup } from "../system/private-group.ts";
import { readMachine } from "./machine.ts";

interface Refreshed {
  /** Absolute. */
  readonly root: string;
  readonly files: readonly RefreshedFile[];
}

/** What became of one of the files for editors that are there. */
interface RefreshedFile {
  /** Absolute. */
  readonly file: string;
  readonly state: "renewed" | "current" | "kept" | "failed";
  /** Which xy had written it; absent for one that did not say so. */
  readonly from?: string;
  /** Why it was left as it is, a clause. */
  readonly why?: string;
}

interface RefreshRequest {
  /** Absolute; the root is looked for from there. */
  readonly folder: string;
  readonly env: Environment;
  readonly version: string;
  /** Also what was edited, and what a later version wrote. */
  readonly force: boolean;
}

/** Renews the files for editors in the root that a folder belongs to, as `xy init` of this version writes them. */
export async function refreshEditorFiles({
  folder,
  env,
  ...options
}: RefreshRequest): Promise<Result<Refreshed>> {
  const found = await discover({ cwd: folder, env, machine: readMachine(env), isPrivateGroup });
  if (!found.ok) return found;
  const root = found.value.path;
  const files = EDITOR_FILES.flatMap((name) => refreshed(root, name, options) ?? []);
  return { ok: true, value: { root, files }, warnings: [] };
}

/** No file of these is that long. */
const LONGEST = 4 * 1024 * 1024;

function refreshed(
  root: string,
  name: (typeof EDITOR_FILES)[number],
  { version, force }: Pick<RefreshRequest, "version" | "force">,
): RefreshedFile | undefined {
  const file = join(root, name);
  const kept = (why: string) => ({ file, state: "kept", why }) as const;
  if (fs.lstatSync(file, { throwIfNoEntry: false }) === undefined) return undefined;
  try {
    const info = fs.statSync(file);
    const text = info.isFile() && info.size <= LONGEST ? readText(file) : undefined;
    if (text === undefined) return kept("xy did not write it");
    const mark = markOf(text);
    if (mark === undefined && !isFromBeforeMarks(name, text)) return kept("xy did not write it");
    const what = mark?.what ?? likely(name, text);
    const wanted = writtenText(what, version);
    const from = mark ? { from: mark.version } : {};
    if (unmarked(text).replaceAll("\r\n", "\n") === unmarked(wanted) && mark)
      return { file, state: "current", ...from };
    if (mark && editorDigest(unmarked(text)) !== mark.digest && !force)
      return kept(`it was edited after xy ${mark.version} wrote it; --force renews it all the same`);
    if (mark && isLater(mark.version, version) && !force)
      return kept(
        `xy ${mark.version} wrote it, which is later than this xy; --force writes that of ${version}`,
      );
    // Where it is a link, as in a folder of dotfiles that is stowed, it stays one.
    writeAtomic(fs.realpathSync(file), wanted, { mode: info.mode & 0o777, exact: true });
    return { file, state: "renewed", ...from };
  } catch (error) {
    return { file, state: "failed", why: (error as Error).message };
  }
}

/** What a file from before the marks is. */
function likely(name: (typeof EDITOR_FILES)[number], text: string): EditorText {
  if (name === "xyctl.d.ts") return "types";
  const style = text.includes('"workingDir"') ? "json" : "yaml";
  return name === "xy.schema.json" ? `root ${style}` : `server ${style}`;
}

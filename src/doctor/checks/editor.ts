import { discover } from "../../config/find/discover.ts";
import { shellWord } from "../../model/text.ts";
import { olderEditorFiles } from "../../operation/editor-files.ts";
import { counted, named, row } from "../check.ts";

interface EditorFacts {
  /** How many configurations were looked at. */
  readonly looked: number;
  /** Those with files that an earlier xy wrote. */
  readonly older: readonly { readonly root: string; readonly files: readonly string[] }[];
}

export const editorCheck = row<EditorFacts>({
  id: "editor",
  title: "Editor types",
  about: "whether the types and schemas that `xy init` wrote for editors are those of this xy",
  async look({ recorded, search, version }) {
    const here = search === undefined ? undefined : await discover(search);
    const known = recorded.projects.flatMap(({ record }) => record?.root ?? []);
    const roots = [...new Set([...(here?.ok ? [here.value.path] : []), ...known])];
    const older = roots.map((root) => ({ root, files: olderEditorFiles(root, version) }));
    return { looked: roots.length, older: older.filter(({ files }) => files.length > 0) };
  },
  judge({ looked, older }) {
    return {
      summary: looked === 0 ? "no configuration found" : `${counted(looked, "configuration")} checked`,
      findings: older.map(({ root, files }) => ({
        id: "editor.old",
        severity: "warning",
        what: `an earlier xy wrote ${named(files)} in ${root}`,
        why: "Your editor does not know what this version has added, and may call it wrong.",
        mend: `xy init --refresh ${shellWord(root)}`,
      })),
    };
  },
});

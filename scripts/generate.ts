import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { EDITOR_TEXTS } from "../src/config/write/editor-mark.ts";
import { editorDigest, editorText } from "../src/config/write/editor-texts.ts";
import { editorTypes } from "../src/config/write/editor-types.ts";
import { SCHEMAS } from "../src/config/write/init.ts";
import { referenceText } from "../src/config/write/reference.ts";
import { clientDeclarationText } from "./declaration-client.ts";
import { manualText } from "./manual.ts";
import { auditText } from "./reference-audit.ts";
import { backendsText } from "./reference-backends.ts";
import { clientsText } from "./reference-clients.ts";
import { commandsReferenceText } from "./reference-commands.ts";
import { doctorText } from "./reference-doctor.ts";
import { wireReferenceText } from "./reference-wire.ts";

/** Writes what is generated from the schemas and the commands. With --check: names stale files, and exits 1 if there are any. */

const generated: Readonly<Record<string, () => string | Promise<string>>> = {
  // First: commands load it, and their reference is made from them.
  "src/config/write/editor-digests.ts": editorDigests,
  "docs/audit.md": auditText,
  "docs/backends.md": backendsText,
  "docs/clients.md": clientsText,
  "docs/doctor.md": doctorText,
  "docs/reference/commands.md": commandsReferenceText,
  "docs/reference/configuration.md": referenceText,
  "docs/reference/wire.md": wireReferenceText,
  "man/xy.1": manualText,
  "schema/client.d.ts": clientDeclarationText,
  "schema/xyctl.d.ts": () => editorTypes("package"),
  ...schemaFiles(),
};

function schemaFiles(): Record<string, () => string> {
  return Object.fromEntries(
    (["root", "server"] as const).flatMap((of) => [
      [`schema/${SCHEMAS[of].kebab}`, () => editorText(`${of} yaml`)],
      [`schema/${SCHEMAS[of].camel}`, () => editorText(`${of} json`)],
    ]),
  );
}

function editorDigests(): string {
  const lines = EDITOR_TEXTS.map((what) => {
    const key = what.includes(" ") ? JSON.stringify(what) : what;
    return `  ${key}: "${editorDigest(editorText(what))}",\n`;
  });
  return `/** Generated: tells whether a file of \`xy init\` is as this version writes it, without making that. */
export const EDITOR_DIGESTS = {
${lines.join("")}} as const;
`;
}

const check = process.argv.includes("--check");
for (const [name, text] of Object.entries(generated)) {
  const file = fileURLToPath(new URL(`../${name}`, import.meta.url));
  const wanted = await text();
  if ((await readFile(file, "utf8").catch(() => undefined)) === wanted) continue;
  if (check) {
    console.error(`${name} is stale: run "npm run generate"`);
    process.exitCode = 1;
  } else {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, wanted);
    console.log(`wrote ${name}`);
  }
}

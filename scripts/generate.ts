import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { editorTypes } from "../src/config/write/editor-types.ts";
import { SCHEMAS } from "../src/config/write/init.ts";
import { jsonSchemaOf } from "../src/config/write/json-schema.ts";
import { referenceText } from "../src/config/write/reference.ts";
import { schemaText } from "../src/config/write/schema-text.ts";
import { rootInput, serverInput } from "../src/model/server.ts";
import { clientDeclarationText } from "./declaration-client.ts";
import { auditText } from "./reference-audit.ts";
import { backendsText } from "./reference-backends.ts";
import { clientsText } from "./reference-clients.ts";
import { commandsReferenceText } from "./reference-commands.ts";
import { wireReferenceText } from "./reference-wire.ts";

/** Writes what is generated from the schemas and the commands. With --check: names stale files, and exits 1 if there are any. */

const generated: Readonly<Record<string, () => string | Promise<string>>> = {
  "docs/audit.md": auditText,
  "docs/backends.md": backendsText,
  "docs/clients.md": clientsText,
  "docs/reference/commands.md": commandsReferenceText,
  "docs/reference/configuration.md": referenceText,
  "docs/reference/wire.md": wireReferenceText,
  "schema/client.d.ts": clientDeclarationText,
  "schema/xyctl.d.ts": () => editorTypes("package"),
  ...schemaFiles(),
};

function schemaFiles(): Record<string, () => string> {
  const inputs = { root: rootInput, server: serverInput };
  return Object.fromEntries(
    (["root", "server"] as const).flatMap((of) =>
      (["kebab", "camel"] as const).map((style) => [
        `schema/${SCHEMAS[of][style]}`,
        () => schemaText(jsonSchemaOf(inputs[of], style)),
      ]),
    ),
  );
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

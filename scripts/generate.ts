import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { declarationText } from "../src/config/declaration.ts";
import { jsonSchemaOf } from "../src/config/json-schema.ts";
import { referenceText } from "../src/config/reference.ts";
import { rootInput, serverInput } from "../src/model/server.ts";
import { clientDeclarationText } from "./declaration-client.ts";
import { backendsText } from "./reference-backends.ts";
import { commandsReferenceText } from "./reference-commands.ts";
import { wireReferenceText } from "./reference-wire.ts";

/** Writes what is derived from the schemas and the commands. With --check: names what is stale, and exits 1 if anything is. */

const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;

const generated: Readonly<Record<string, () => string | Promise<string>>> = {
  "docs/backends.md": backendsText,
  "docs/reference/commands.md": commandsReferenceText,
  "docs/reference/configuration.md": referenceText,
  "docs/reference/wire.md": wireReferenceText,
  "schema/client.d.ts": clientDeclarationText,
  "schema/xyctl.d.ts": () => declarationText("package"),
  // For YAML; "xy init" writes those for JSON.
  "schema/xy.schema.json": () => json(jsonSchemaOf(rootInput, "kebab")),
  "schema/xy.server.schema.json": () => json(jsonSchemaOf(serverInput, "kebab")),
};

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

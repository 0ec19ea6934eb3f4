import { createHash } from "node:crypto";
import { rootInput, serverInput } from "../../model/server.ts";
import type { EditorText } from "./editor-mark.ts";
import { editorTypes } from "./editor-types.ts";
import { jsonSchemaOf } from "./json-schema.ts";
import { schemaText } from "./schema-text.ts";

/** What an editor needs to know of a configuration, as `xy init` writes it, without its mark. */
export function editorText(what: EditorText): string {
  switch (what) {
    case "types":
      return editorTypes("ambient");
    case "root yaml":
      return schemaText(jsonSchemaOf(rootInput, "kebab"));
    case "root json":
      return schemaText(jsonSchemaOf(rootInput, "camel"));
    case "server yaml":
      return schemaText(jsonSchemaOf(serverInput, "kebab"));
    case "server json":
      return schemaText(jsonSchemaOf(serverInput, "camel"));
  }
}

/** Tells one text from another, however lines end. */
export function editorDigest(text: string): string {
  return createHash("sha256").update(text.replaceAll("\r\n", "\n")).digest("hex").slice(0, 16);
}

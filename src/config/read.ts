import { readFileSync, statSync } from "node:fs";
import { extname } from "node:path";
import type { Diagnostic } from "../model/diagnostic.ts";
import { problemAt } from "./keys.ts";
import type { Reading } from "./place.ts";
import type { ObjectShape } from "./shape.ts";
import { type Evaluation, readTypeScript } from "./typescript.ts";

export const MAX_BYTES = 1024 * 1024;
export const DATA_EXTENSIONS = [".kdl", ".yaml", ".yml", ".json"];
export const PROGRAM_EXTENSIONS = [".ts", ".mts", ".js", ".mjs"];

/** Reads one configuration file of any format by its extension. */
export async function readDocument(
  file: string,
  shape: ObjectShape,
  evaluation: Evaluation,
): Promise<Reading> {
  const text = readText(file);
  if (typeof text !== "string") return { problems: [text] };
  const extension = extname(file);
  if (PROGRAM_EXTENSIONS.includes(extension)) return readTypeScript(file, shape, evaluation);
  if (extension === ".kdl") return (await import("./kdl.ts")).readKdl(file, text, shape);
  const { readJson, readYaml } = await import("./yaml.ts");
  return extension === ".json" ? readJson(file, text, shape) : readYaml(file, text, shape);
}

/**
 * Content of a regular file of at most {@link MAX_BYTES}, which must be UTF-8. Read at once: to hand a small file to
 * another thread takes ten times as long as to read it.
 */
function readText(file: string): string | Diagnostic {
  try {
    const info = statSync(file);
    const refuse = (why: string) => problemAt({ file }, `cannot read this file: ${why}`);
    if (info.isDirectory()) return refuse("it is a folder; rename or remove it");
    if (!info.isFile()) return refuse("it is not a regular file; rename or remove it");
    if (info.size > MAX_BYTES) {
      return refuse(
        `it has ${Math.ceil(info.size / MAX_BYTES)} MiB, a configuration at most 1 MiB; move it elsewhere`,
      );
    }
    return new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(file));
  } catch (error) {
    return problemAt({ file }, `cannot read this file: ${readFailure(error)}`);
  }
}

export function readFailure(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  switch (code) {
    case "ENOENT":
      return "it does not exist, or is a link to nothing; correct the path or remove the link";
    case "EACCES":
    case "EPERM":
      return "permission denied; make it readable for your user";
    case "ELOOP":
      return "it is a link that leads back to itself; remove the link";
    case "ENOTDIR":
      return "a part of its path is not a folder; correct the path";
    case "ERR_ENCODING_INVALID_ENCODED_DATA":
      return "it is not UTF-8 text; save it as UTF-8";
    default:
      return `${(error as Error).message}; check the file`;
  }
}

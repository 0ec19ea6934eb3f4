import { dirname } from "node:path";
import type { Diagnostic } from "../model/diagnostic.ts";

/** 1-based, in UTF-16 units, as editors count. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

export type KeyPath = readonly (string | number)[];

/** How a format writes keys: `backoff-initial` or `backoffInitial`. */
export type KeyStyle = "kebab" | "camel";

/** A file that was read: its content in camelCase, and where each part of it stands. */
interface Document {
  /** Absolute. */
  readonly file: string;
  readonly style: KeyStyle;
  /** Keys that are unknown are left out: they are among the problems. */
  readonly value: unknown;
  /** Place of the value (or key) at a path, or of the nearest thing around it; undefined where a format has no positions. */
  locate(path: KeyPath, part?: "key" | "value"): Position | undefined;
}

/** What a reader gives: as much as could be read, and everything that is wrong with it. */
export interface Reading {
  /** Absent when the file could not be read at all. */
  readonly document?: Document;
  readonly problems: readonly Diagnostic[];
}

/** The part of a document that says one server, or the whole of it. */
export interface Source {
  readonly document: Document;
  /** Where in the document the server stands: `["servers", "web"]`, or `[]` for a file of its own. */
  readonly at: KeyPath;
}

/** Folder that relative paths in this source start at. */
export function sourceFolder(source: Source): string {
  return dirname(source.document.file);
}

/** File with line and column, or with the key path, of a path inside a source. */
export function placeOf(
  source: Source,
  path: KeyPath,
  part?: "key" | "value",
): Pick<Diagnostic, "file" | "line" | "column" | "path"> {
  const whole = [...source.at, ...path];
  const position = source.document.locate(whole, part);
  const file = source.document.file;
  return position
    ? { file, ...position }
    : whole.length > 0
      ? { file, path: formatPath(whole, "camel") }
      : { file };
}

/** The same place as one word for a message: `/a/xy.config.yaml:3:5`. */
export function formatPlace(place: Pick<Diagnostic, "file" | "line" | "column" | "path">): string {
  if (place.line !== undefined) return `${place.file}:${place.line}:${place.column}`;
  return place.path === undefined ? `${place.file}` : `${place.file}: ${place.path}`;
}

/** `["restart", "backoffInitial"]` → `restart.backoff-initial` or `restart.backoffInitial`. */
export function formatPath(path: KeyPath, style: KeyStyle): string {
  const written = path.map((key, i) => {
    if (typeof key === "number") return `[${key}]`;
    return `.${style === "kebab" && !OPEN_MAPS.has(path[i - 1]) ? toKebab(key) : key}`;
  });
  return written.join("").replace(/^\./, "");
}

/** Their keys are names that people choose, which no format rewrites. */
const OPEN_MAPS: ReadonlySet<string | number | undefined> = new Set(["env", "servers"]);

export function toKebab(key: string): string {
  return key.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`);
}

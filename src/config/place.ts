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
  /** The paths that unknown keys were meant for, as JSON. What is missing there was reported with those keys. */
  readonly meant?: readonly string[];
  /** Absent where a format has no positions. */
  readonly places?: Places;
}

/** Where a part of a document stands, and what is in it: plain data, which one thread can hand to another. */
export interface Places {
  /** For a block, the place of its key, where people look for it. */
  readonly value: Position;
  readonly key: Position;
  /** By key, as the file spells it, or by index. */
  readonly parts?: ReadonlyMap<string, Places> | undefined;
}

/** What a reader gives: as much as could be read, and everything that is wrong with it. */
export interface Reading {
  /** Absent when the file could not be read at all. */
  readonly document?: Document;
  /** For a root: further servers under a name that is used already, each with its own places. */
  readonly again?: readonly Document[];
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
  const { file, style, places } = source.document;
  const position = places && locate(places, spelled(whole, style), part);
  return position
    ? { file, ...position }
    : whole.length > 0
      ? { file, path: formatPath(whole, "camel") }
      : { file };
}

/** Place of the value (or key) at a path that is spelled as in the file, or of the nearest thing around it. */
export function locate(places: Places, path: KeyPath, part: "key" | "value" = "value"): Position {
  let here = places;
  for (const key of path) {
    const next = here.parts?.get(String(key));
    if (next === undefined) return here.key;
    here = next;
  }
  return here[part];
}

/** The same place as one word for a message: `/a/xy.config.yaml:3:5`. */
export function formatPlace(place: Pick<Diagnostic, "file" | "line" | "column" | "path">): string {
  if (place.line !== undefined) return `${place.file}:${place.line}:${place.column}`;
  return place.path === undefined ? `${place.file}` : `${place.file}: ${place.path}`;
}

/** `["restart", "backoffInitial"]` → `restart.backoff-initial` or `restart.backoffInitial`; each key not too long. */
export function formatPath(path: KeyPath, style: KeyStyle): string {
  const written = spelled(path, style).map((key) =>
    typeof key === "number"
      ? `[${key}]`
      : `.${key.length > LONGEST_KEY ? `${key.slice(0, LONGEST_KEY)}…` : key}`,
  );
  return written.join("").replace(/^\./, "");
}

/** A key may be as long as a file, and be repeated in many problems. */
const LONGEST_KEY = 200;

/** A path in camelCase as files of this style spell it. */
export function spelled(path: KeyPath, style: KeyStyle): KeyPath {
  if (style === "camel") return path;
  let isName = false;
  return path.map((key) => {
    if (typeof key === "number") return key;
    const written = isName ? key : toKebab(key);
    isName = !isName && OPEN_MAPS.has(key);
    return written;
  });
}

/** Their keys are names that people choose, which no format rewrites. */
const OPEN_MAPS: ReadonlySet<string> = new Set(["env", "servers", "actions", "clients"]);

export function toKebab(key: string): string {
  return key.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`);
}

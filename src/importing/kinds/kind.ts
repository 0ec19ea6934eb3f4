import type { KeyPath } from "../../config/place.ts";
import type { Found } from "../draft.ts";
import type { Piece } from "../part.ts";

/** Facts about the source that its text does not have. */
export interface Origin {
  /** Absolute path. */
  readonly file: string;
  /** Its folder: where relative paths of most tools start. */
  readonly folder: string;
  readonly home: string;
  /** Whose an entry is that xy wrote into a client's file, as `project/server`. `path`: of what holds the entry. */
  readonly ownerOf?: (path: KeyPath, name: string, value: unknown) => string | undefined;
  /** The server of xy's that answers at an address, in the same way. */
  readonly ownerAt?: (url: string) => string | undefined;
}

/** A tool whose files are read. */
export interface Kind {
  readonly id: string;
  /** "a pm2 file" */
  readonly what: string;
  /** Whether a file is one, by its name and its content. `value`: as its format was read, if it could be. */
  readonly fits: (name: string, value: unknown, text: string) => boolean;
  /** How its text is read. A text in YAML may be JSON. */
  readonly format: "json" | "yaml" | "toml" | "ini" | "unit" | "plist" | "procfile";
  readonly read: (top: Piece, origin: Origin) => Found;
  /** What stops these there, as lines for a shell; absent: nothing runs them by itself. */
  readonly stops?: (names: readonly string[], file: string) => readonly string[];
  /** Why a key that nothing asked for is not carried over. */
  readonly reason: (path: KeyPath) => string;
}

/** A length of time as a configuration says it. */
export function seconds(value: string | undefined): string | undefined {
  const number = Number(value);
  if (value === undefined || value.trim() === "" || !Number.isFinite(number) || number < 0) return undefined;
  return milliseconds(number * 1000);
}

export function milliseconds(ms: number): string {
  const whole = Math.round(ms);
  return whole % 1000 === 0 ? `${whole / 1000}s` : `${whole}ms`;
}

/** A server's own name, of a unit that xy has written: `xy.project.web` → `web`. */
export const ownName = (name: string): string => /^xy\.[a-z0-9][a-z0-9_-]*\.(.+)$/.exec(name)?.[1] ?? name;

export const NO_SETTING = "xy has no such setting";

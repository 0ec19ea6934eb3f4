import type { KeyPath } from "../config/place.ts";

/** A server as it was found in a source: what a configuration says, in plain values, and what a person should know. */
export interface Draft {
  /** As the source calls it. */
  readonly name: string;
  readonly line: number;
  /** Settings of a server, in camelCase, complete enough to be valid. What of its texts is not to be filled in is in double braces. */
  readonly fields: Fields;
  /** Variables whose values may be secret, and are kept outside of the configuration. */
  readonly secrets: ReadonlyMap<string, string>;
  /** Which arguments seem to hold a credential: they are shown nowhere. -1 is the command. */
  readonly credentials: readonly number[];
  /** Comments above the settings: full sentences. */
  readonly remarks: readonly string[];
  /** Why it is not to start by itself until a person has looked at it; each a clause. */
  readonly doubts: readonly string[];
}

export interface Fields {
  command?: string;
  args?: readonly string[];
  port?: number | "auto" | "none";
  host?: string;
  mcp?: true | Readonly<Record<string, unknown>>;
  env?: Readonly<Record<string, unknown>>;
  envFile?: readonly string[];
  workingDir?: string;
  umask?: string;
  limits?: Readonly<Record<string, unknown>>;
  restart?: Readonly<Record<string, unknown>>;
  stop?: Readonly<Record<string, unknown>>;
  readiness?: unknown;
  liveness?: unknown;
  startTimeout?: string;
  dependsOn?: readonly unknown[];
  logs?: Readonly<Record<string, unknown>>;
  wanted?: "start" | "stop";
  class?: "system";
  description?: string;
  tags?: readonly string[];
}

/** Something in a source that is no server for xy to run: told, with its place. */
export interface Other {
  readonly name: string;
  readonly line: number;
  readonly path: KeyPath;
  /** A clause. */
  readonly why: string;
}

/** What one source holds. */
export interface Found {
  readonly drafts: readonly Draft[];
  readonly others: readonly Other[];
}

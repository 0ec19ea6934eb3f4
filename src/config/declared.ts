import type { Diagnostic } from "../model/diagnostic.ts";
import type { FilledServer } from "../model/server.ts";
import type { KeyPath } from "./place.ts";

/** Where something is said: a file with line and column, or with a key path. */
type Place = Pick<Diagnostic, "file" | "line" | "column" | "path">;

export interface DeclaredServer {
  readonly name: string;
  /** Defaults merged and filled in; templates, paths, ports and secrets as they were written. */
  readonly input: FilledServer & { readonly backend: NonNullable<FilledServer["backend"]> };
  /** Place of a part of it, also when the defaults say it; the server's own where nobody says it. */
  place(path: KeyPath): Place;
  /** Absolute folder that a relative path at this place starts at. */
  folder(path: KeyPath): string;
}

/** What the files say on this machine, valid, before anything of the machine is looked at. */
export interface Declared {
  readonly project: string;
  /** Real path of the configuration root. */
  readonly root: string;
  /** Folders of the root's `path`, absolute. */
  readonly path: readonly string[];
  /** In name order. */
  readonly servers: readonly DeclaredServer[];
  /** Servers whose `when` does not match this machine. */
  readonly elsewhere: readonly string[];
  /** Every configuration file that was read. */
  readonly files: readonly string[];
}

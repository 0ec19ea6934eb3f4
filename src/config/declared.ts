import type { FilledAction } from "../model/action-input.ts";
import type { ClientName, Scope } from "../model/clients.ts";
import type { Diagnostic } from "../model/diagnostic.ts";
import type { SecretInput } from "../model/input-parts.ts";
import type { FilledServer } from "../model/server.ts";
import type { KeyPath } from "./place.ts";

/** Where something is said: a file with line and column, or with a key path. */
type Place = Pick<Diagnostic, "file" | "line" | "column" | "path">;

/** What runs a server; known of each. */
interface HeldBy {
  readonly backend: NonNullable<FilledServer["backend"]>;
  readonly class: NonNullable<FilledServer["class"]>;
}

export interface DeclaredServer {
  readonly name: string;
  /** Defaults merged and filled in; templates, paths, ports and secrets as they were written. */
  readonly input: FilledServer & HeldBy;
  /** Place of a part of it, even if the defaults set it; the server's own place if nothing sets it. */
  place(path: KeyPath): Place;
  /** Absolute folder that a relative path at this place starts at. */
  folder(path: KeyPath): string;
  /** Whether a file sets it, the defaults included. */
  isSaid(path: KeyPath): boolean;
}

/** An action of a server, or of the project. */
export interface DeclaredAction {
  readonly name: string;
  /** Null: it stands alone. */
  readonly server: string | null;
  /** Defaults filled in; templates, paths and secrets as they were written. */
  readonly input: FilledAction;
  place(path: KeyPath): Place;
  folder(path: KeyPath): string;
}

/** How backends are set up, as it is written: a password may still be a reference. */
export interface DeclaredBackends {
  readonly supervisord?: {
    readonly url: string;
    readonly user?: string;
    readonly password?: string | SecretInput;
    /** Absolute. */
    readonly includeDir?: string;
    /** Where the password is said, and the folder that a relative path of it starts at. */
    readonly passwordAt: { readonly place: Place; readonly folder: string };
  };
}

/** An editor or assistant whose file is to name servers. */
export interface DeclaredClient {
  readonly client: ClientName;
  readonly scope: Scope;
  /** Goes before each server's name; may be empty. */
  readonly prefix: string;
  /** Those chosen for it, in name order: each has a URL. */
  readonly servers: readonly string[];
}

/** What the files say on this machine, valid, before anything of the machine is looked at. */
export interface Declared {
  readonly project: string;
  /** The files say the project's name. */
  readonly isNamed: boolean;
  /** Folder of the configuration, by the name that it goes by. */
  readonly root: string;
  /** The root by that name: the folder, or the file that is a configuration by itself. */
  readonly named: string;
  /** What `--config` has to be to find it again. */
  readonly config: string;
  /** Real path of the folder. */
  readonly place: string;
  /** It is the account's own root, which only that account fills. */
  readonly isOwn: boolean;
  /** Folders of the root's `path`, absolute. */
  readonly path: readonly string[];
  /** How the backends are set up. */
  readonly backends: DeclaredBackends;
  /** In name order. */
  readonly clients: readonly DeclaredClient[];
  /** In name order. */
  readonly servers: readonly DeclaredServer[];
  /** Those of servers and those that stand alone. */
  readonly actions: readonly DeclaredAction[];
  /** Servers whose `when` does not match this machine. */
  readonly elsewhere: readonly string[];
  /** Why each of them is not of this machine: `host work; this is work-2`. */
  readonly elsewhereBecause: Readonly<Record<string, string>>;
  /** Every configuration file that was read. */
  readonly files: readonly string[];
}

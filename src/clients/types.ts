import type { ClientName, Scope } from "../model/clients.ts";
import type { Diagnostic } from "../model/diagnostic.ts";

/** What an entry of a client's file can be: the same in JSON, YAML and TOML. */
export type Value = string | number | boolean | null | readonly Value[] | ValueMap;
export interface ValueMap {
  readonly [key: string]: Value;
}

/** One server in a client's file, under the name that the client shows. */
export interface Entry {
  readonly name: string;
  /** A map, unless somebody has written something else. In a list it has the name, too. */
  readonly value: Value;
}

/** One file of one client. */
export interface ClientTarget {
  readonly client: ClientName;
  readonly scope: Scope;
  /** Absolute; links as they are. */
  readonly file: string;
  /** Only for the scope `project`: the folder that the file, wherever links lead, has to be in. */
  readonly folder?: string;
}

/** How the entries of a client stand in its file. */
export interface Shape {
  readonly format: FormatName;
  /** Keys down to the entries. */
  readonly path: readonly [string, ...string[]];
  /** A map by name, or a list of maps that have their `name` in them. */
  readonly holds: "map" | "list";
  /** A map's entries have their `name` in them, too. */
  readonly named?: true;
  /** Absent: the client takes no HTTP, or not for certain. */
  readonly http?: {
    readonly url: string;
    /** What each such entry has, such as the word for Streamable HTTP; before the address. */
    readonly always?: ValueMap;
    /** The same, after everything else. */
    readonly last?: ValueMap;
    /** Keys down to the map of headers. Absent: it sends none. */
    readonly headers?: readonly [string, ...string[]];
    /** A field for the name of the variable that holds a bearer token. */
    readonly tokenVariable?: string;
  };
  readonly stdio: {
    readonly command: string;
    /** Absent: they are in one list with the program. */
    readonly args?: string;
    readonly always?: ValueMap;
    readonly last?: ValueMap;
  };
  /** What stands before and after the name of a variable of the client's environment in a value. Absent: it takes none. */
  readonly variable?: readonly [string, string];
  /** The field, and its value, with which a person switches an entry off. */
  readonly off?: { readonly field: string; readonly value: boolean };
}

export type FormatName = "json" | "yaml" | "toml";

/** One client: where its files are, and how entries stand in them. Every fact about it is in its row. */
export interface ClientRow<S extends Scope> {
  readonly title: string;
  /**
   * Where the file may be, by scope. `~` is the home folder, `{config}` the XDG folder of configurations, `{support}` that
   * of macOS; a path that begins with `$NAME` counts where that variable is set, and then alone. Else the first that exists
   * counts, or the first. For a project: below its folder.
   */
  readonly files: Readonly<Record<S, Places>>;
  /** Several: the first whose path is in the file, else the last. */
  readonly shapes: readonly [Shape, ...Shape[]];
  /** What else a new file has to say. */
  readonly fresh?: string;
  /** What makes it read its file again, for people. */
  readonly reload: string;
}

type Paths = readonly [string, ...string[]];
/** On every system, or on each. */
export type Places = Paths | { readonly linux: Paths; readonly macos: Paths };

/** What a client needs to know of a server. */
export interface ServerOfClients {
  readonly project: string;
  readonly server: string;
  readonly url: string;
  /** The server wants a bearer token; `variable` if that is what an environment variable of that name holds. */
  readonly token?: { readonly variable?: string };
}

/** How a client that cannot reach a server over HTTP starts `xy connect`: a program, and the words before PROJECT/SERVER. */
export interface ConnectCommand {
  readonly command: string;
  readonly args: readonly string[];
}

/** What a client's file says of a server, and which way the client goes to it. */
export interface WrittenEntry {
  readonly value: ValueMap;
  readonly via: "http" | "connect";
}

/** A client's file as it was at one moment. */
export interface ClientLook {
  readonly target: ClientTarget;
  readonly shape: Shape;
  /** Undefined: there is no file. */
  readonly text: string | undefined;
  /** Of its bytes; of no file: `none`. */
  readonly hash: string;
  readonly entries: readonly Entry[];
}

/** What is done to the entries of one file. Names in both are not allowed. */
export interface EntryChanges {
  readonly set: readonly Entry[];
  readonly remove: readonly string[];
}

/** An entry in a client's file, and whose it is. */
export interface OwnedEntry extends Entry {
  /** Undefined: it is not xy's. */
  readonly owner: { readonly project: string; readonly server: string } | undefined;
  /** It is xy's, and is not as xy wrote it. */
  readonly isChanged: boolean;
}

/** What became of a change. */
export type ClientWrite =
  | { readonly is: "written" }
  /** There was nothing to do. */
  | { readonly is: "unchanged" }
  /** Entries that the change is about are not as they were looked at: look, and decide, again. */
  | { readonly is: "stale" }
  | { readonly is: "refused"; readonly problem: Diagnostic };

import type { Diagnostic } from "./diagnostic.ts";

/** What an import found and wrote: for people, and as JSON. */

export interface ImportedServer {
  readonly name: string;
  /** Its file, absolute. */
  readonly file: string;
  /**
   * `new`: it is written, or would be; `same`: the file is there with just this text; `in-the-way`: something else is
   * there, or another file declares a server of this name, and was left alone.
   */
  readonly state: "new" | "same" | "in-the-way";
  /** The command with its arguments, as it is declared, but for credentials. */
  readonly runs: readonly string[];
  /** Variables whose values are kept in a file of their own, and that file, absolute. */
  readonly secrets?: { readonly file: string; readonly names: readonly string[] };
  /** Sentences for who reads the file. */
  readonly remarks: readonly string[];
  /** Why it does not start by itself yet; each a clause. */
  readonly doubts: readonly string[];
}

/** Something in a source that was not carried over. */
interface ImportLoss {
  /** 1-based. */
  readonly line: number;
  /** Where in the source: `mcpServers.web.headers` */
  readonly key: string;
  /** A clause. */
  readonly why: string;
}

export interface ImportSource {
  readonly file: string;
  /** "a pm2 file" */
  readonly what: string;
  readonly servers: readonly ImportedServer[];
  /** What is no server for xy to run. */
  readonly others: readonly { readonly name: string; readonly line: number; readonly why: string }[];
  readonly lost: readonly ImportLoss[];
  /** What stops these servers where they run now, as lines for a shell. */
  readonly stops: readonly string[];
}

export interface ImportReport {
  /** Where the files are, or would be. */
  readonly folder: string;
  /** Nothing was written. */
  readonly dryRun: boolean;
  readonly sources: readonly ImportSource[];
  /** What is wrong with the configuration now. */
  readonly problems: readonly Diagnostic[];
  /** A program that is part of the configuration: it was not run, so nobody knows what it declares. */
  readonly program?: string;
}

import type { ClientName, Scope } from "./clients.ts";

/** One entry of a client's file, without anything that could be a secret. */
export interface ClientEntryFacts {
  readonly name: string;
  /** Where it leads: an address without what may be secret in it, or a program; null for what is neither. */
  readonly to: string | null;
  /** The server that xy wrote it for; null: it is not xy's. */
  readonly owner: { readonly project: string; readonly server: string } | null;
  /** xy wrote it, and somebody has changed it since. */
  readonly changed: boolean;
  /** Somebody has switched it off in the client. */
  readonly off: boolean;
}

/** A client's file on this machine. */
export interface ClientFacts {
  readonly client: ClientName;
  readonly title: string;
  readonly scope: Scope;
  readonly file: string;
  readonly exists: boolean;
  /** Why it cannot be used; null if it can. */
  readonly problem: string | null;
  readonly entries: readonly ClientEntryFacts[];
  /** What xy wrote, and is not there any more. */
  readonly missing: readonly { readonly name: string; readonly project: string; readonly server: string }[];
  /** What the file was when xy first touched it; null if it did not, or there was none. */
  readonly backup: string | null;
  /** What makes the client read it again. */
  readonly reload: string;
}

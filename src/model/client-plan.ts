import type { ClientName, Scope } from "./clients.ts";

/** What a client's file is to say about one server. */
export interface DesiredEntry {
  readonly server: string;
  /** Under which the client knows it. */
  readonly name: string;
  /** Where the server answers. */
  readonly url: string;
}

/** A client whose file is to have entries for these servers, and no others of this project. */
export interface DesiredClient {
  readonly client: ClientName;
  readonly scope: Scope;
  /** In name order. */
  readonly entries: readonly DesiredEntry[];
}

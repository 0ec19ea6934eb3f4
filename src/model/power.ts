import type { Diagnostic } from "./diagnostic.ts";

/** What a configuration can execute or send on the way to a plan. The user is asked before that happens. */
export type Power = { readonly place: Pick<Diagnostic, "file" | "line" | "column" | "path"> } & (
  | { readonly can: "program" }
  /** A file in another folder is part of the configuration. */
  | { readonly can: "include"; readonly included: string }
  /** A shell command line whose output is a secret. */
  | { readonly can: "secret"; readonly command: string }
  /** A command line, for people. */
  | { readonly can: "probe"; readonly command: string }
  /** A URL that a probe requests from somewhere other than the server itself. */
  | { readonly can: "request"; readonly url: string }
  /** `password`: where that is from, for people. `includeDir`: where units are written. */
  | {
      readonly can: "manager";
      readonly url: string;
      readonly password?: string;
      readonly includeDir?: string;
    }
  /** Entries in a client's file that is outside the folder of the configuration. */
  | { readonly can: "client"; readonly client: string }
);

/** The question that a person is asked, once for each root. */
export interface ConsentQuestion {
  /** The root, by the path that was given. */
  readonly root: string;
  readonly powers: readonly Power[];
}

/** The address of a supervisord, what is sent there, and where units are written for it. */
export function managerText({ url, password, includeDir }: Extract<Power, { can: "manager" }>): string {
  const sent = password === undefined ? "" : `, with ${password}`;
  return `${url}${sent}${includeDir === undefined ? "" : `, with units in ${includeDir}`}`;
}

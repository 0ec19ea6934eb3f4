import type { Diagnostic } from "./diagnostic.ts";

/** What a configuration can execute, or send somewhere, on the way to a plan. It is asked about before that happens. */
export type Power = { readonly place: Pick<Diagnostic, "file" | "line" | "column" | "path"> } & (
  | { readonly can: "program" }
  /** A file of another folder says a part of the configuration. */
  | { readonly can: "include"; readonly included: string }
  /** A shell command line, whose output is a secret. */
  | { readonly can: "secret"; readonly command: string }
  /** A command line, for people. */
  | { readonly can: "probe"; readonly command: string }
  /** A URL that a probe asks for, where it is not the server's own. */
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

/** What a person is asked, once for each root. */
export interface ConsentQuestion {
  /** The root, as it was named. */
  readonly root: string;
  readonly powers: readonly Power[];
}

/** Where a supervisord is, what is sent there, and where it has units written. */
export function managerText({ url, password, includeDir }: Extract<Power, { can: "manager" }>): string {
  const sent = password === undefined ? "" : `, with ${password}`;
  return `${url}${sent}${includeDir === undefined ? "" : `, with units in ${includeDir}`}`;
}

import type { Diagnostic } from "./diagnostic.ts";

/** What a configuration can execute, or send somewhere, on the way to a plan. It is asked about before that happens. */
export type Power = { readonly place: Pick<Diagnostic, "file" | "line" | "column" | "path"> } & (
  | { readonly can: "program" }
  /** A shell command line, whose output is a secret. */
  | { readonly can: "secret"; readonly command: string }
  /** A command line, for people. */
  | { readonly can: "probe"; readonly command: string }
  | { readonly can: "manager"; readonly url: string; readonly password: boolean }
);

/** What a person is asked, once for each root. */
export interface ConsentQuestion {
  /** The root, as it was named. */
  readonly root: string;
  readonly powers: readonly Power[];
}

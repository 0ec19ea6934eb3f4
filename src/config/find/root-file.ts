import type { Source } from "../place.ts";

/** A file that describes a project, or part of one. */
export interface RootFile {
  readonly source: Source;
  readonly value: Readonly<Record<string, unknown>>;
  /** The file that includes it; absent for the root's own file. */
  readonly parent?: RootFile;
}

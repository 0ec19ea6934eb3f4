import type { Source } from "../place.ts";

/** A file that describes a project, or a part of one. */
export interface RootFile {
  readonly source: Source;
  readonly value: Readonly<Record<string, unknown>>;
  /** The file that includes it; absent of the root's own. */
  readonly parent?: RootFile;
}

import type { ProcessId } from "../../model/process.ts";
import type { Doors, RunFiles } from "./run-folder.ts";

export interface KeeperFacts {
  readonly pid: number;
  /** Set if an earlier agent started it and it is proven to be the keeper. */
  readonly adopted?: ProcessId;
  /** It repeats how the program ended when it is asked: see keeper.ts. */
  readonly answers: boolean;
  /** Settles with its exit code when the keeper, a child of this process, exits; absent for an adopted one. */
  readonly gone?: Promise<number | null>;
}

/** How a run is reached: its keeper, its fifos, and those that are read, or why none can be read. */
export interface Connection {
  readonly keeper: KeeperFacts | undefined;
  readonly doors: Doors;
  readonly files: RunFiles | Unwatched;
}

/** A run that cannot be watched now: nobody reads its output, and only checks notice its end. */
export interface Unwatched {
  readonly reason: string;
}

export const isOpen = (files: RunFiles | Unwatched): files is RunFiles => "out" in files;

/** Ms until the next attempt to watch a run: doubles each time. */
export const RETRY = { first: 500, last: 30_000 };

export function whyUnwatched(error: unknown): Unwatched {
  return { reason: error instanceof Error ? error.message : String(error) };
}

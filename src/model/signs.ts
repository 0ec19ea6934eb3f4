/** Whether a server that is starting is still at work: signs of life, and how long there was none. */

/** A start without any sign of life for this long is given up by whoever waits for it, ms. */
export const SILENCE = 60_000;
/** Between two looks for signs of life, ms. */
export const LOOK_EVERY = 5000;

/** What one look saw. */
export interface Look {
  /** How much it has printed up to now, in whatever unit; it only grows. */
  readonly printed: number;
  /**
   * Ticks of processor time that its own processes have used, by process: a pid alone does not tell one from a later
   * one. Empty while there is none; undefined where nobody can see them.
   */
  readonly processes: ReadonlyMap<string, number> | undefined;
}

/** What is known of a server after some looks. */
export interface Signs {
  /** Monotonic ms of the newest sign of life, or of the beginning. */
  readonly lastAt: number;
  /** A process of it was seen. Without that what it prints says nothing either: it may be somebody else's. */
  readonly isSeen: boolean;
  readonly look: Look;
}

/** `printed`: before the start. `now`: monotonic, ms. */
export function noSigns(printed: number, now: number): Signs {
  return { lastAt: now, isSeen: false, look: { printed, processes: new Map() } };
}

/** Takes a look in: output, a process that was not there before, or one that has used a processor are signs of life. */
export function withLook({ lastAt, isSeen, look: before }: Signs, look: Look, now: number): Signs {
  const known = before.processes ?? new Map<string, number>();
  const isAtWork = [...(look.processes ?? [])].some(
    ([process, ticks]) => ticks > (known.get(process) ?? Number.NEGATIVE_INFINITY),
  );
  const sees = isSeen || (look.processes?.size ?? 0) > 0;
  const isSign = sees && (isAtWork || look.printed > before.printed);
  // A look that failed is no reason to take the next one's processes for new ones.
  const processes = look.processes ?? before.processes;
  return { lastAt: isSign ? now : lastAt, isSeen: sees, look: { printed: look.printed, processes } };
}

/** Monotonic ms from which on it counts as silent. */
export const silentFrom = ({ lastAt }: Signs): number => lastAt + SILENCE;

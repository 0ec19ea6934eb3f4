import type { Figure } from "./measure.ts";
import type { Pm2 } from "./peers/pm2.ts";
import type { Supervisord } from "./peers/supervisord.ts";
import type { Systemd } from "./peers/systemd.ts";
import type { Xy } from "./peers/xy.ts";
import type { Place } from "./place.ts";

/** A row of the table. */
export interface Row {
  readonly measure: string;
  readonly goal: string;
  /** xy's result. */
  readonly xy: string;
  /** The others' results, and lower bounds. */
  readonly others: readonly string[];
  readonly ratio: string;
  readonly isReached: boolean;
}

/** Starts a new manager in a home of its own, if it is installed. */
interface Peers {
  readonly xy: (at?: Place) => Promise<Xy>;
  readonly pm2?: ((at?: Place) => Promise<Pm2>) | undefined;
  readonly supervisord?: ((at?: Place) => Promise<Supervisord>) | undefined;
  readonly systemd?: ((at?: Place) => Promise<Systemd>) | undefined;
}

export interface Bench {
  readonly place: Place;
  /** Another one, in memory, if the machine has a folder for that. */
  readonly memory: Place | undefined;
  readonly peers: Peers;
  readonly rounds: number;
  readonly note: (text: string) => void;
}

export type RowMaker = (bench: Bench) => Promise<Row[]>;

export const ms = ({ median, spread: [low, high] }: Figure) =>
  `${amount(median)} ms (${amount(low)} to ${amount(high)})`;

export const times = (ratio: number) => `${ratio.toFixed(2)} ×`;

function amount(value: number): string {
  return value < 10 ? value.toFixed(1) : Math.round(value).toLocaleString("en-GB");
}

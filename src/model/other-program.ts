import type { Manager } from "./backends.ts";
import type { StateName } from "./observed.ts";

/** The service managers whose other programs xy can list. */
export const LISTED_MANAGERS = ["systemd", "launchd", "supervisord"] as const satisfies readonly Manager[];

/** What a service manager runs that is no server of xy's: it can be looked at, and no plan ever touches it. */
export interface OtherProgram {
  readonly manager: (typeof LISTED_MANAGERS)[number];
  /** `supervisord:GROUP:NAME`; of the others the name of the unit. */
  readonly name: string;
  /** Of supervisord: the group that it is in. */
  readonly group?: string;
  readonly state: StateName;
  /** The manager's own word for its state. */
  readonly word: string;
  readonly pid?: number;
  /** Unix ms. */
  readonly startedAt?: number;
  /** Unix ms. */
  readonly stoppedAt?: number;
  /** Of its last run that is over, if an exit code ended it. */
  readonly exitCode?: number;
  readonly description: string;
  /** Where its manager writes its output, if it does so into files. */
  readonly logs?: { readonly out?: string; readonly err?: string };
  /** It is xy's own, as `project/name`. */
  readonly server?: string;
}

export const SUPERVISORD_PREFIX = "supervisord:";

/** What the address of somebody else's program is made of. `program` undefined: all of the group. */
export interface ProgramAddress {
  readonly group: string;
  readonly program: string | undefined;
}

export const isProgramAddress = (text: string) => text.startsWith(SUPERVISORD_PREFIX);

/** An address means nothing, too much, or what has another name; the message has the way out. */
export class NoSuchProgram extends Error {}

/** `supervisord:GROUP:NAME`, `supervisord:GROUP` and `supervisord:GROUP:*`; undefined for any other text. */
export function programAddress(text: string): ProgramAddress | undefined {
  if (!isProgramAddress(text)) return undefined;
  const [group = "", ...rest] = text.slice(SUPERVISORD_PREFIX.length).split(":");
  const program = rest.join(":");
  return { group, program: program === "" || program === "*" ? undefined : program };
}

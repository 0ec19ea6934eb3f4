import type { Machine } from "../../model/machine.ts";
import type { SecretRef } from "../../model/spec-parts.ts";
import type { ProgramFaults } from "./program.ts";

/** `skipped`: the value was not asked for; the reference then has an empty hmac. */
export type SecretOutcome =
  | { readonly kind: "value"; readonly value: string }
  /** `message`: why, and what to do. */
  | { readonly kind: "missing"; readonly message: string }
  | { readonly kind: "skipped" };

/** Whose a secret is: a server's, or an action's with the server that it belongs to. */
export interface SecretOwner {
  readonly server: string | null;
  /** Absent: it is the server's own. */
  readonly action?: string;
}

/**
 * What is done with references to secrets. `read`: the value is asked for. `find`: only whether there is such a file or
 * variable; no file is opened, no command runs. `leave`: nothing. What an apply had before is known in each of them.
 */
export type SecretUse = "read" | "find" | "leave";

/** What resolving needs to know of the machine beyond its files. */
export interface World {
  readonly machine: Machine;
  /** Environment of the caller: `env` references, and its PATH as the last place to find a program. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The port that an `auto` server of this project was given earlier. */
  keptPort(server: string): number | undefined;
  /** Somebody else than this server holds the port, or another project keeps it. */
  portTaken(port: number, server: string): boolean | Promise<boolean>;
  /** Keyed hash (hex) of a secret value. */
  hmac(value: string): string;
  /** It is another machine than this one: no program and no folder of it can be looked up. */
  readonly isElsewhere?: true;
  /** Absent: values are read. */
  readonly secretUse?: SecretUse;
  /** What is known already of programs: of one resolving, as they may change. */
  readonly programs?: ProgramFaults;
  /**
   * Output of a shell command line; a final line break is removed here. `folder`: absolute, where it runs; undefined:
   * wherever xy was called.
   */
  runSecretCommand(command: string, folder: string | undefined): Promise<SecretOutcome>;
  /** Nothing is done about such a server or action: none of its secrets is looked up. Absent: of none. */
  isLeftOut?(owner: string): boolean;
  /** The last apply had a value for this secret of a server or an action by the same reference. Absent: of none. */
  wasApplied?(owner: SecretOwner, name: string, ref: SecretRef): boolean;
  /** Names that the last apply took from an env-file (absolute path), if it did from that one. Absent: from none. */
  appliedFrom?(owner: SecretOwner, envFile: string): readonly string[] | undefined;
}

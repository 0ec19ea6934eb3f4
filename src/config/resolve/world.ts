import type { Machine } from "../../model/machine.ts";
import type { SecretRef } from "../../model/spec-parts.ts";
import type { ProgramFaults } from "./program.ts";

/** `skipped`: the value was not requested; the reference then has an empty hmac. */
export type SecretOutcome =
  | { readonly kind: "value"; readonly value: string }
  /** `message`: why, and what to do. */
  | { readonly kind: "missing"; readonly message: string }
  | { readonly kind: "skipped" };

/** The owner of a secret: a server, or an action with the server that it belongs to. */
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

/** What resolving needs to know about the machine beyond its files. */
export interface World {
  readonly machine: Machine;
  /** Environment of the caller: `env` references, and its PATH as the last place to find a program. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The port that an `auto` server of this project was given earlier. */
  keptPort(server: string): number | undefined;
  /** Someone other than this server holds the port, or another project keeps it. */
  portTaken(port: number, server: string): boolean | Promise<boolean>;
  /** Keyed hash (hex) of a secret value. */
  hmac(value: string): string;
  /** The machine is another one than this: none of its programs and folders can be looked up. */
  readonly isElsewhere?: true;
  /** Absent: values are read. */
  readonly secretUse?: SecretUse;
  /** Results of program lookups so far. Kept for one resolve only, because programs may change. */
  readonly programs?: ProgramFaults;
  /**
   * Output of a shell command line; a final line break is removed here. `folder`: absolute, where it runs; undefined:
   * wherever xy was called.
   */
  runSecretCommand(command: string, folder: string | undefined): Promise<SecretOutcome>;
  /** Whether this server or action is left out: its secrets are not looked up. Absent: none is. */
  isLeftOut?(owner: string): boolean;
  /** Whether the last apply had a value for this secret by the same reference. Absent: for none. */
  wasApplied?(owner: SecretOwner, name: string, ref: SecretRef): boolean;
  /** Names that the last apply took from this env-file (absolute path), if it did. Absent: from none. */
  appliedFrom?(owner: SecretOwner, envFile: string): readonly string[] | undefined;
}

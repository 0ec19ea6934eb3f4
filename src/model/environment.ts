import { own } from "./own.ts";
import type { ServerSpec } from "./spec.ts";
import type { SecretValues } from "./spec-parts.ts";

/** Why a server could not be started, in words for people. */
export class SpawnError extends Error {
  readonly portConflict: boolean;
  /** The cause may soon be over: too little memory or space, too few processes or descriptors. */
  readonly passing: boolean;
  /** Its run folder cannot be written: the start is retried until it can. */
  readonly noRoom: boolean;
  constructor(
    message: string,
    {
      portConflict = false,
      passing = false,
      noRoom = false,
    }: { portConflict?: boolean; passing?: boolean; noRoom?: boolean } = {},
  ) {
    super(message);
    this.noRoom = noRoom;
    this.portConflict = portConflict;
    this.passing = passing;
  }
}

/** The whole environment of the process. Throws a {@link SpawnError} if a secret's value is missing. */
export function environmentOf(spec: Pick<ServerSpec, "env">, secrets: SecretValues): Record<string, string> {
  const entries = Object.entries(spec.env).map(([key, value]): [string, string] => {
    if (typeof value === "string") return [key, value];
    const secret = own(secrets, key);
    if (secret === undefined)
      throw new SpawnError(`cannot start: the value of the secret ${key} is not here`);
    return [key, secret];
  });
  return Object.fromEntries(entries);
}

/** Whether it has a secret that was not looked up, and so has no hash of its value. */
export function hasUnknownSecret(env: ServerSpec["env"]): boolean {
  return Object.values(env).some((value) => typeof value !== "string" && value.hmac === "");
}

import { own } from "./own.ts";
import type { ServerSpec } from "./spec.ts";
import type { SecretValues } from "./spec-parts.ts";

/** Why a server could not be started, in words for a person. */
export class SpawnError extends Error {
  readonly portConflict: boolean;
  /** For want of something that may be there again soon: memory, processes, descriptors, space. */
  readonly passing: boolean;
  /** Nothing can be written where its run would be: it is tried again for as long as that lasts. */
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

/** What the process gets, and nothing else. Throws a {@link SpawnError} when the value of a secret is not here. */
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

/** Whether it has a secret that was not looked up: such a one has no hash of its value. */
export function hasUnknownSecret(env: ServerSpec["env"]): boolean {
  return Object.values(env).some((value) => typeof value !== "string" && value.hmac === "");
}

import type { ServerSpec } from "../../model/spec.ts";
import type { StartProgress } from "../../model/start-progress.ts";
import type { ParsedParams, ResultOf } from "../../rpc/contract.ts";

/** `tell`: told how a start is going. */
export type Asked = ParsedParams<"apply"> & { readonly tell?: (progress: StartProgress) => void };

/** With nothing left out. `kept`: a person adds it, and no configuration declares it. */
export type Request = Omit<Asked, "spec" | "wait_ms"> & {
  readonly spec?: ServerSpec | undefined;
  readonly wait_ms: number;
  readonly kept?: true;
};

export type Applied = ResultOf<"apply">;

export const done = (detail: string): Applied => ({ ok: true, detail });

import type { z } from "zod";
import type * as schema from "./observed-schema.ts";
import type { exit } from "./spec-parts.ts";
import type { STATES } from "./states.ts";

export type StateName = (typeof STATES)[number];

/** How a process ended. */
export type Exit = z.output<typeof exit>;

export function formatExit(exit: Exit): string {
  switch (exit.kind) {
    case "code":
      return `exit ${exit.code}`;
    case "signal":
      return exit.signal;
    case "unknown":
      return exit.because === undefined ? "exit code unknown" : `exit code unknown: ${exit.because}`;
  }
}

export type Verdict = Readonly<z.output<typeof schema.verdict>>;
export type OperatorWord = z.output<typeof schema.operatorWord>;
export type Missing = Readonly<z.output<typeof schema.missing>>;
export type Restored = Readonly<z.output<typeof schema.restored>>;
export type Observed = Readonly<z.output<typeof schema.observed>>;
export type Transition = Readonly<z.output<typeof schema.transition>>;

/** What puts down anew what was applied, when that cannot be read. `kept`: no configuration declares the server. */
export const writtenAgain = (name: string, kept: true | undefined) =>
  kept ? `\`xy run --keep ${name} -- COMMAND\`` : "`xy apply`";

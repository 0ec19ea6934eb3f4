import type { Exit } from "./observed.ts";
import type { ServerSpec } from "./spec.ts";

/** Whether a process exited with a code that its server declares as a success. A signal and an unknown exit are failures. */
export function isSuccess(exit: Exit, { restart }: Pick<ServerSpec, "restart">): boolean {
  return exit.kind === "code" && restart.successExitCodes.includes(exit.code);
}

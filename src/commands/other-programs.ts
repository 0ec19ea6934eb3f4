import { ServiceError } from "../backends/ask.ts";
import { EXIT } from "../model/exit-codes.ts";
import { NoSuchProgram } from "../model/other-program.ts";
import type { BaseCommand } from "./base.ts";
import type { EvaluationFlags } from "./configuration.ts";
import { settingOf, usable } from "./configuration.ts";
import { reaching } from "./endings.ts";
import type { Held, Others } from "./others.ts";

/** Programs beside xy's servers. Reads the configuration if it may name their service manager. */
export async function othersOf(
  command: BaseCommand,
  flags: EvaluationFlags & { readonly project?: string | undefined },
): Promise<Others> {
  const { Others } = await import("./others.ts");
  const { declaredBackends } = await import("../operation/evaluating.ts");
  return new Others(command.state, flags.project, async (isNeeded) => {
    const found = await declaredBackends(settingOf(command, flags));
    if (found.ok) return found.value;
    if (found.missing || !isNeeded) return {};
    if (!found.refused) return usable<never>(command, found, "nothing was asked");
    return command.fail(
      EXIT.invalidConfig,
      "you have not agreed to the configuration here, so its supervisord was not asked; see what it can run, then agree with `xy check --trust`",
    );
  });
}

/** Runs `work` with the programs that are not xy's and that an address means. */
export async function withHeld<T>(
  command: BaseCommand,
  text: string,
  flags: EvaluationFlags,
  work: (held: readonly Held[]) => Promise<T>,
): Promise<T> {
  const others = await othersOf(command, flags);
  try {
    return await reaching(command, async () => work(await others.held(text)));
  } catch (error) {
    if (error instanceof NoSuchProgram || error instanceof ServiceError)
      command.fail(EXIT.failed, error.message);
    throw error;
  }
}

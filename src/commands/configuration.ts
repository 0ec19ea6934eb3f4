import type { Result } from "../model/diagnostic.ts";
import { EXIT } from "../model/exit-codes.ts";
import type { Machine } from "../model/machine.ts";
import type { ConsentQuestion, Power } from "../model/power.ts";
import { quotedLine } from "../model/visible.ts";
import type { Evaluated, Setting } from "../operation/evaluating.ts";
import { typedFolder } from "../system/paths.ts";
import { isPrivateGroup } from "../system/private-group.ts";
import { type BaseCommand, screenOf } from "./base.ts";
import { canAsk, confirm } from "./prompt.ts";

/** How a command finds, evaluates and trusts the configuration, and ends when there is something wrong with it. */

export interface EvaluationFlags {
  readonly config?: string | undefined;
  readonly trust?: boolean;
  readonly "no-secrets"?: boolean;
  readonly "adopt-project"?: boolean;
  readonly for?: Machine | undefined;
  readonly only?: string[] | undefined;
  readonly except?: string[] | undefined;
}

/** What evaluating the configuration needs to know of this command. */
export function settingOf(command: BaseCommand, flags: EvaluationFlags): Setting {
  return {
    ...placeOf(flags),
    state: command.state,
    signal: command.signal,
    consent: {
      trust: flags.trust === true,
      ask: (question) => askConsent(command, question),
      tell: (root, unseen) => tellUnseen(command, root, unseen),
      unkept: (why) => command.note(`warning: the agreement is for this command only: ${why}`),
    },
    print: (text) => {
      command.endBusy();
      process.stderr.write(printedText(text));
    },
    ...(flags["no-secrets"] ? { secretUse: "leave" as const } : {}),
    ...(flags.for ? { target: flags.for } : {}),
    ...(flags["adopt-project"] ? { adopts: true } : {}),
    selection: { only: flags.only ?? [], except: flags.except ?? [] },
  };
}

/** Where to look for a configuration. */
export function placeOf({ config }: EvaluationFlags): Pick<Setting, "cwd" | "env" | "explicit"> {
  const from = process.argv.some((word) => word.startsWith("--config")) ? "--config" : "XY_CONFIG";
  const explicit = config ? { explicit: { path: config, from } as const } : {};
  return { cwd: typedFolder(process.env, process.cwd()), env: process.env, ...explicit };
}

async function askConsent(command: BaseCommand, question: ConsentQuestion): Promise<boolean> {
  if (!canAsk()) return false;
  const { consentView } = await import("../views/consent.ts");
  command.note(...consentView(question, screenOf(process.stderr)).split("\n"));
  return confirm("Trust this configuration?", command.signal);
}

async function tellUnseen(command: BaseCommand, root: string, unseen: readonly Power[]): Promise<void> {
  const { unseenView } = await import("../views/consent.ts");
  command.note(...unseenView(root, unseen, screenOf(process.stderr)).split("\n"));
}

/** The evaluated configuration. If it has problems, ends the command with all of them and exit code 3. */
export async function evaluatedOrEnd(command: BaseCommand, flags: EvaluationFlags): Promise<Evaluated> {
  const { evaluate } = await import("../operation/evaluating.ts");
  return usable(command, await evaluate(settingOf(command, flags)), "nothing was done");
}

/** The value of an evaluation, or the end of the command. `nothing`: what did not happen then. */
export function usable<T>(
  command: BaseCommand,
  result: Result<T> & { readonly refused?: true; readonly missing?: true },
  nothing: string,
): T {
  if (result.ok) return result.value;
  const why = result.refused
    ? `nobody has agreed to this configuration, ${nothing}; look at what it can run, then agree with --trust`
    : `${result.missing ? "no configuration found" : "the configuration is invalid"}, ${nothing}`;
  return valueOrEnd(command, result, why);
}

/** The value of a result. If there is none, ends the command with `message`, the problems, and exit code 3. */
export function valueOrEnd<T>(command: BaseCommand, result: Result<T>, message: string): T {
  if (result.ok) return result.value;
  return command.fail(EXIT.invalidConfig, message, result.problems);
}

/** The project whose root is here, from xy's records. Evaluates nothing. */
export async function currentProject(
  command: BaseCommand,
  flags: { config?: string | undefined },
): Promise<string | undefined> {
  return valueOrEnd(
    command,
    await recordedHere(command, flags),
    "the configuration is not safe to use, nothing was done",
  );
}

/** As {@link currentProject}, for messages only: undefined where the configuration is not safe to use. */
export async function projectHere(
  command: BaseCommand,
  flags: { config?: string | undefined },
): Promise<string | undefined> {
  const found = await recordedHere(command, flags);
  return found.ok ? found.value : undefined;
}

async function recordedHere(command: BaseCommand, flags: { config?: string | undefined }) {
  const { currentProject } = await import("../operation/project.ts");
  return currentProject(await searchFrom(flags), command.state);
}

/** How to search for a configuration from the working folder. */
export async function searchFrom(flags: { config?: string | undefined }) {
  const { readMachine } = await import("../operation/machine.ts");
  return { ...placeOf(flags), machine: readMachine(process.env), isPrivateGroup };
}

/** What a configuration prints while it is evaluated. */
function printedText(text: string): string {
  return text.split("\n").map(quotedLine).join("\n");
}

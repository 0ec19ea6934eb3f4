import { ExitError } from "@oclif/core/errors";
import { EXIT } from "../model/exit-codes.ts";
import { BackendUnreachable } from "../model/unreachable.ts";
import type { LockOptions } from "../operation/locking.ts";
import type { Outcome } from "../operation/outcome.ts";
import { explained, RPC_ERRORS, RpcError } from "../rpc/errors.ts";
import type { BaseCommand } from "./base.ts";
import { usable } from "./configuration.ts";

/** What ends a command, and with which exit code: failures that operations report and backends throw. */

/** The exit code of an operation that stopped early. */
const CODES = {
  usage: EXIT.usage,
  locked: EXIT.locked,
  unreachable: EXIT.unreachable,
  untrusted: EXIT.invalidConfig,
  refused: EXIT.failed,
  failed: EXIT.failed,
} as const;

/** The value of an operation. Ends the command if the operation stopped early. */
export function completed<T>(command: BaseCommand, outcome: Outcome<T>): T {
  if (outcome.ok) return outcome.value;
  const { stop } = outcome;
  if (stop.why === "invalid") return usable<never>(command, stop.evaluation, "nothing was done");
  // The exit code is that of the signal, and nothing is left to say.
  if (stop.why === "interrupted") throw new ExitError(EXIT.interrupted);
  // The plan has shown its problems.
  return command.fail(CODES[stop.why], stop.message, stop.problems, { seen: true });
}

/** Runs something that needs a backend. Ends the command with exit code 2 if the backend cannot be reached. */
export async function reaching<T>(command: BaseCommand, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof BackendUnreachable) command.fail(EXIT.unreachable, error.message);
    throw error;
  }
}

/** Runs something that calls the agent. Ends the command if the agent answers with an error. */
export async function answering<T>(command: BaseCommand, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof RpcError) command.fail(exitCodeOf(error), explained(error).message);
    throw error;
  }
}

function exitCodeOf(error: RpcError) {
  if (error.code === RPC_ERRORS.configurationInvalid) return EXIT.invalidConfig;
  if (error.code === RPC_ERRORS.locked) return EXIT.locked;
  return EXIT.failed;
}

/** Runs `work` while this command holds the project's lock; see `withLock`. Ends the command if another one has it. */
export async function whileLocked<T>(
  command: BaseCommand,
  project: string,
  work: () => Promise<T>,
  options: Omit<LockOptions, "note"> = {},
): Promise<T> {
  const { withLock } = await import("../operation/locking.ts");
  const valued = async () => ({ ok: true, value: await work() }) as const;
  const note = (text: string) => command.note(text);
  return completed(command, await withLock(command.state, project, valued, { ...options, note }));
}

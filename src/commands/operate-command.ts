import type { Method, ResultOf } from "../rpc/contract.ts";
import { RpcError } from "../rpc/errors.ts";
import { EXIT } from "./exit-codes.ts";
import { type Address, ServerCommand } from "./server-command.ts";

type Verb = Extract<Method, "start" | "stop" | "restart" | "kill" | "pause" | "resume">;
type Failure = ResultOf<"start">["failed"][number];

/** What start, stop, restart, kill, pause and resume share: many servers at once, each with its own outcome. */
export abstract class OperateCommand extends ServerCommand {
  /** Calls `verb` for every address. Prints the merged result of the wire method, or a line for each server. */
  protected async operate(
    verb: Verb,
    addresses: readonly Address[],
    words: Record<string, string>,
    how: { readonly for_ms?: number } = {},
  ): Promise<void> {
    const merged: Record<string, string[]> = Object.fromEntries(Object.keys(words).map((key) => [key, []]));
    const failed: Failure[] = [];
    await this.withAgent(async (client) => {
      await Promise.all(
        addresses.map(async ({ project, name }) => {
          try {
            const result: Record<string, unknown> = await client.call(verb, { project, name, ...how });
            for (const key of Object.keys(words)) merged[key]?.push(...(result[key] as string[]));
          } catch (error) {
            if (!(error instanceof RpcError)) throw error;
            failed.push({ name, code: error.code, message: error.message });
          }
        }),
      );
    });
    if (this.json) this.printJson({ ...sorted(merged), failed });
    else this.#tell(sorted(merged), words);
    if (failed.length === 0) return;
    if (!this.json) for (const { message } of failed) this.note(`xy: ${message}`);
    process.exitCode = EXIT.failed;
  }

  #tell(merged: Record<string, string[]>, words: Record<string, string>): void {
    for (const [key, word] of Object.entries(words)) {
      for (const name of merged[key] ?? []) this.print(`${name}: ${word}`);
    }
  }
}

function sorted(merged: Record<string, string[]>): Record<string, string[]> {
  return Object.fromEntries(Object.entries(merged).map(([key, names]) => [key, names.sort()]));
}

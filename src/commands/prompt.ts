import { createInterface } from "node:readline/promises";
import { visible } from "../model/visible.ts";

/** Whether there is a person to ask: stdin and stderr are terminals. */
export function canAsk(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}

/** Asks one line on the terminal; only `y` and `yes` are a yes. Rejects when the signal is aborted. */
export async function confirm(question: string, signal: AbortSignal): Promise<boolean> {
  const dialogue = createInterface({ input: process.stdin, output: process.stderr });
  // The terminal is in raw mode while a question is open, so Ctrl-C arrives here and not as a signal.
  const interrupt = () => process.kill(process.pid, "SIGINT");
  dialogue.once("SIGINT", interrupt);
  try {
    const answer = await dialogue.question(`${visible(question)} [y/N] `, { signal });
    return /^y(es)?$/i.test(answer.trim());
  } catch (error) {
    if (signal.aborted) throw error;
    // Ctrl-D: there is no answer, and the line is still open.
    process.stderr.write("\n");
    return false;
  } finally {
    dialogue.close();
  }
}

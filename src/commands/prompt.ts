import { once } from "node:events";
import { createInterface } from "node:readline/promises";
import { setTimeout as pause } from "node:timers/promises";
import { visible } from "../model/visible.ts";

/** Whether there is a person to ask: stdin and stderr are terminals. */
export function canAsk(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}

/** Asks one line on the terminal; only `y` and `yes` are a yes. Rejects when the signal is aborted. */
export async function confirm(question: string, signal: AbortSignal): Promise<boolean> {
  await dropTypedAhead(signal);
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

const CTRL_C = "\u0003";
/** Once nothing came for so long, nothing is left of what was typed before, ms. */
const QUIET = 20;
/** Longest wait for that, ms: a key that is held down goes on. */
const LONGEST = 500;

/**
 * Reads and forgets what was typed before a question is shown: it was meant for something else. Ctrl-C among it is an
 * interruption all the same.
 */
async function dropTypedAhead(signal: AbortSignal): Promise<void> {
  const { stdin } = process;
  let last = performance.now();
  let isInterrupted = false;
  const read = (typed: Buffer) => {
    last = performance.now();
    isInterrupted ||= typed.includes(CTRL_C);
  };
  // Raw, so that an unfinished line is read too.
  stdin.setRawMode(true);
  stdin.on("data", read);
  const until = last + LONGEST;
  do await pause(QUIET);
  while (performance.now() - last < QUIET && performance.now() < until);
  stdin.off("data", read);
  stdin.pause();
  stdin.setRawMode(false);
  if (!isInterrupted) return;
  const told = once(signal, "abort");
  process.kill(process.pid, "SIGINT");
  if (!signal.aborted) await told;
  signal.throwIfAborted();
}

/**
 * Contends for a lock: takes it, marks that it has it, lets it go, again and again, and dies by SIGKILL while it has
 * it for the last time. Arguments: path of the lock, the marker file that only a holder may make, a file in which
 * every holder leaves a line, turns.
 */
import { appendFileSync, rmSync, writeFileSync } from "node:fs";
import { type Lock, tryLock } from "../../src/system/lock.ts";

const [lockPath = "", marker = "", history = "", turns = ""] = process.argv.slice(2);

async function taken(): Promise<Lock> {
  for (;;) {
    const attempt = tryLock(lockPath);
    if (attempt.held) return attempt.lock;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

for (let turn = 1; ; turn++) {
  const lock = await taken();
  // Fails when another holder is there, and with it this process.
  writeFileSync(marker, "", { flag: "wx" });
  appendFileSync(history, `${process.pid}\n`);
  await new Promise(setImmediate);
  rmSync(marker);
  if (turn === Number(turns)) process.kill(process.pid, "SIGKILL");
  lock.release();
}

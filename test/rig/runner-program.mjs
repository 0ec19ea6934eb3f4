import { createReadStream, writeSync } from "node:fs";
import { Socket } from "node:net";
import { createInterface } from "node:readline";
import { setTimeout as pass } from "node:timers/promises";

/**
 * Runs commands one after the other in one process, each as if it had one of its own: arguments, folder, environment,
 * exit code. What a command prints goes where it always goes, up to a mark. To start Node and to load what a command
 * needs takes ten times as long as most commands do.
 *
 * It is told what to run by messages of its parent, or by lines of a shell: folder and words, each with a separator
 * after it. Those it answers with the code. Both have descriptors of their own, beside those of the commands.
 */
const SEPARATOR = "\x1f";
const LINES = 7;
const ANSWERS = 9;

// The program, as it was built: today's, or that of another version.
const { main } = await import(process.argv[2]);

class Exit {
  constructor(code) {
    this.code = code;
  }
}
process.exit = (code) => {
  throw new Exit(code ?? process.exitCode ?? 0);
};

/** Whether something is under way that would have ended with the process. */
function goesOn() {
  const active = process.getActiveResourcesInfo();
  return ["Timeout", "MessagePort", "ProcessWrap"].some((one) => active.includes(one));
}

/** What a command prints ends with `mark`. Answers with its code. */
async function run({ args, cwd, env, mark }) {
  process.argv = [process.execPath, "xy", ...args];
  process.exitCode = undefined;
  process.chdir(cwd);
  for (const name of Object.keys(process.env)) if (!(name in env)) delete process.env[name];
  Object.assign(process.env, env);
  let code;
  try {
    await main(args);
  } catch (error) {
    if (error instanceof Exit) code = error.code;
    else console.error(error);
  }
  // What the end of a process would have ended.
  for (const handle of process._getActiveHandles()) {
    if (handle instanceof Socket && !own.has(handle)) handle.destroy();
  }
  for (const stream of [process.stdout, process.stderr]) stream.removeAllListeners("error");
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.removeAllListeners(signal);
  await Promise.all(
    [process.stdout, process.stderr].map((out) => new Promise((done) => out.write(mark, done))),
  );
  return code ?? 70;
}

/** Whether something of a command is left that the end of a process would have ended. */
async function isWorn() {
  // Handles of what is over are there for a moment more.
  for (let look = 0; look < 5 && goesOn(); look++) await pass(2);
  return goesOn();
}

const env = { ...process.env };
const lines = process.send ? undefined : createInterface({ input: createReadStream("", { fd: LINES }) });
const own = new Set(process._getActiveHandles());

if (lines) {
  for await (const line of lines) {
    const [cwd, ...args] = line.split(SEPARATOR).slice(0, -1);
    writeSync(ANSWERS, `${await run({ args, cwd, env, mark: "" })}\n`);
  }
  process.kill(process.pid, "SIGKILL");
}

process.on("message", async (command) => {
  const code = await run(command);
  process.send({ code, worn: await isWorn() });
});
process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));
process.send({ ready: true });

import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Lines } from "../bridge/lines.ts";
import { errorText, RPC } from "../bridge/message.ts";
import { EXIT } from "../model/exit-codes.ts";
import { visible } from "../model/visible.ts";
import { Door, type NoWay, openerOf } from "./door.ts";
import { Shim } from "./shim.ts";

/** Longest message of a client, bytes. */
const LONGEST_LINE = 16 * 1024 * 1024;
/** Calls that are under way at the end of the input get so long, ms, from when the server is there: its start may take longer. */
const LAST_ANSWERS = 5000;
/** The flag with which the command finds the server, in a process of its own. */
export const OPEN_FLAG = "open";

const launcher = () => fileURLToPath(new URL("../bin/xy.js", import.meta.url));

/** Is a client's MCP server until the client is gone, or it is told to end. Returns the exit code. */
export async function runConnect(argv: readonly string[]): Promise<number> {
  const { stdin, stdout, stderr } = process;
  stderr.on("error", () => {});
  const says = (text: string) => void stderr.write(`xy: ${visible(text)}\n`);
  const gone = new Promise<void>((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.once(signal, () => resolve());
    stdout.once("error", () => resolve());
  });
  const door = new Door(openerOf(process.execPath, [launcher(), "connect", `--${OPEN_FLAG}`, ...argv]));
  const named = nameIn(argv);
  const name = named ?? "the server";
  const write = (text: string) =>
    stdout.write(`${text}\n`) ? undefined : Promise.race([once(stdout, "drain"), gone]).then(() => {});
  const shim = new Shim(name, door, { write, says });
  if (stdin.isTTY && named !== undefined)
    says(`speaks for ${name} to an MCP client over stdin and stdout; Ctrl-D ends it`);
  const ended = inputOf(shim, write).then(() => Promise.race([shim.idle(), lastAnswers(shim, door)]));
  const code = await Promise.race([mistake(door, says), gone, ended]);
  stdin.destroy();
  await shim.close();
  return code ?? EXIT.success;
}

/** The server's name, for messages: what the arguments mean is decided by the one that looks for it. */
function nameIn(argv: readonly string[]): string | undefined {
  const valued = { type: "string" } as const;
  const options = { config: valued, "token-env": valued };
  return parseArgs({ args: [...argv], options, strict: false }).positionals[0];
}

/** Settles if nothing that is asked could ever be answered: with the exit code. */
function mistake(door: Door, says: (text: string) => void): Promise<number> {
  return new Promise((resolve) => {
    door.place().catch((error: NoWay) => {
      says(error.message);
      // Everything else may be different at the next call, which is told the same if it is not.
      if (error.code === EXIT.usage) resolve(EXIT.usage);
    });
  });
}

async function lastAnswers(shim: Shim, door: Door): Promise<void> {
  await door.settled;
  await pause(LAST_ANSWERS, undefined, { ref: false });
  shim.giveUp(`did not answer within ${LAST_ANSWERS / 1000}s of the end of the input`);
}

/** Takes what the client says, to its end. */
async function inputOf(shim: Shim, write: (text: string) => unknown): Promise<void> {
  let waits: Promise<void> | undefined;
  const tooLong = `cannot take a message of more than ${LONGEST_LINE >> 20} MiB`;
  const lines = new Lines(
    LONGEST_LINE,
    (line) => {
      waits = shim.take(line) ?? waits;
    },
    () => void write(errorText(null, RPC.invalidRequest, tooLong)),
  );
  try {
    for await (const piece of process.stdin) {
      lines.take(piece as Buffer);
      await waits;
      waits = undefined;
    }
  } catch {
    // Whoever spoke is gone.
  }
  lines.end();
}

import { fileURLToPath } from "node:url";
import { Config } from "@oclif/core/config";
import type * as Interfaces from "@oclif/core/interfaces";
import { run } from "@oclif/core/run";
import { settings } from "@oclif/core/settings";
import packageJson from "../package.json" with { type: "json" };
import { report } from "./commands/failure.ts";
import { knownServers } from "./commands/known-servers.ts";
import { standSomewhere } from "./commands/standing.ts";

/**
 * The way in: finds and runs the command that `argv` names. Ends the process itself, once stdout is written out,
 * so that a socket that somebody forgot cannot keep a finished command alive.
 */
export async function main(argv: readonly string[]): Promise<never> {
  endQuietlyOnBrokenPipe();
  // oclif would otherwise look for TypeScript sources whenever NODE_ENV is "test" or "development".
  settings.enableAutoTranspile = false;
  try {
    if (!isQuestion(argv)) standSomewhere();
    await run(helpFirst(argv), oclifOptions());
  } catch (error) {
    const how = { json: argv.includes("--json"), debug: Boolean(process.env.XY_DEBUG) };
    process.exitCode = report(await explained(error, helpFirst(argv)), how);
  }
  await new Promise((written) => process.stdout.write("", written));
  process.exit();
}

/** What is answered wherever one stands. */
const isQuestion = (argv: readonly string[]) =>
  argv.length === 0 ||
  ["help", "version"].includes(argv[0] ?? "") ||
  argv.some((word) => ["--help", "-h", "--version"].includes(word));

/** `xy help plan` is `xy plan --help`. */
function helpFirst(argv: readonly string[]): string[] {
  return argv[0] === "help" ? [...argv.slice(1), "--help"] : [...argv];
}

/** The built folder is oclif's root: the manifest and the commands are in it. */
function oclifOptions(): Interfaces.LoadOptions & object {
  const root = fileURLToPath(new URL(".", import.meta.url));
  return { root, pjson: packageJson as unknown as Interfaces.PJSON, userPlugins: false, devPlugins: false };
}

/** oclif's "command … not found", with what was probably meant. */
async function explained(error: unknown, argv: readonly string[]): Promise<unknown> {
  if (!(error instanceof Error && /^command .* not found\.?$/is.test(error.message))) return error;
  const { declaredOf, noCommand } = await import("./commands/mistakes.ts");
  const { commands } = await Config.load(oclifOptions());
  return noCommand(argv, {
    commands: commands.filter(({ hidden }) => !hidden).map((one) => declaredOf(one)),
    servers: () => knownServers(process.env),
  });
}

function endQuietlyOnBrokenPipe(): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit();
    throw error;
  });
  process.stderr.on("error", () => {});
}

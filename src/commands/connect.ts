import { boolean, string } from "@oclif/core/flags";
import { runConnect } from "../connect/main.ts";
import { addressOf } from "./addresses.ts";
import { BaseCommand } from "./base.ts";
import { nameArgument } from "./flags.ts";
import { readyServer } from "./readying.ts";
import { reachableServer } from "./url.ts";

/** `bin/xy.js` runs a shim without the rest of xy, which runs this again, with `--open`, to find the server. */
export default class Connect extends BaseCommand {
  static override summary = "Be an MCP server over stdin and stdout, for clients that know no HTTP.";
  static override description =
    "Passes on what a client says to the server's URL, with the server's token, and what it answers. The agent and the server are " +
    "started if they are not running; one that is held is not. A client keeps its session when they restart. Nothing of a " +
    "configuration is evaluated: what counts is what was applied. Only messages are printed to stdout.";
  static override examples = [
    {
      description: "What a client's file says as command and args",
      command: "<%= config.bin %> connect tools/notes",
    },
  ];
  static override args = nameArgument;
  static override flags = {
    open: boolean({ hidden: true }),
    "token-env": string({
      helpValue: "VARIABLE",
      summary: "Send the value of this variable of the server as a bearer token.",
    }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Connect);
    if (!flags.open) {
      void this.signal;
      process.exitCode = await runConnect(this.argv);
      return;
    }
    const address = await addressOf(this, args.name, flags);
    const { url, token } = reachableServer(this, address, flags["token-env"]);
    await readyServer(this, address);
    this.printAsIs(JSON.stringify({ url, ...(token === undefined ? {} : { token }) }));
  }
}

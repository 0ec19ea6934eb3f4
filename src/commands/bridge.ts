import * as Flags from "@oclif/core/flags";
import type { FlagInput } from "@oclif/core/interfaces";
import { runBridge } from "../bridge/main.ts";
import { FLAGS, type FlagRow } from "../bridge/options.ts";
import { TOKEN_VARIABLE } from "../model/bridge-token.ts";
import { EXIT } from "../model/exit-codes.ts";
import { writeBridgeLauncher } from "../system/bridge-program.ts";
import { BaseCommand } from "./base.ts";

/** `bin/xy.js` runs a bridge without the rest of xy: this is its help, and the way of whoever calls `main`. */
export default class BridgeCommand extends BaseCommand {
  static override summary = "Serve an MCP server that speaks over stdin and stdout over HTTP.";
  static override description =
    "Runs COMMAND as an MCP server that speaks over stdin and stdout, and serves it as Streamable HTTP. Each client gets a " +
    "process of its own, or all share one (--share all). A client keeps its session when the process dies or is stopped: " +
    "the next request starts it again. Requests that come from web pages are refused, unless they are allowed.\n\n" +
    `With ${TOKEN_VARIABLE} in its environment, clients have to send that as a bearer token. What the server prints to stderr ` +
    "is printed here, with the beginning of the session's id.\n\n" +
    'You rarely type this: a server that is declared with mcp { transport "stdio" } gets its bridge by itself. With --launcher ' +
    "nothing is served: that writes what committed units of such servers start.";
  static override strict = false;
  static override usage = "bridge --port NUMBER [FLAGS] -- COMMAND [ARGS...]";
  static override examples = [
    "<%= config.bin %> bridge --port 8421 -- npx -y @modelcontextprotocol/server-memory",
    "<%= config.bin %> bridge --port 8421 --share all --idle-stop 10m -- uvx mcp-server-time",
    { description: "For units that `xy emit` wrote", command: "<%= config.bin %> bridge --launcher" },
  ];
  static override flags: FlagInput = {
    ...Object.fromEntries(
      Object.entries<FlagRow>(FLAGS).map(([name, row]) => {
        const { value: helpValue, usual } = row;
        const summary = usual === undefined ? row.summary : `${row.summary} [default: ${usual}]`;
        const how = { summary, helpValue };
        return [name, row.many ? Flags.string({ ...how, multiple: true }) : Flags.string(how)];
      }),
    ),
    launcher: Flags.boolean({
      summary: "Write the script that units run in place of such a server, and print its path.",
    }),
  };

  async run(): Promise<void> {
    if (this.argv.includes("--launcher")) return this.#writeLauncher();
    this.parsed = true;
    void this.signal;
    process.exitCode = await runBridge(this.argv);
  }

  async #writeLauncher(): Promise<void> {
    this.parsed = true;
    if (this.argv.some((word) => word !== "--launcher"))
      this.fail(
        EXIT.usage,
        "cannot serve with --launcher: it only writes a script; leave out everything else",
      );
    this.print(writeBridgeLauncher(this.state));
  }
}

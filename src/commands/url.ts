import { EXIT } from "../model/exit-codes.ts";
import { serverUrl } from "../model/mcp-url.ts";
import type { ServerSpec } from "../model/spec.ts";
import { appliedServer, tokenOf } from "../operation/applied-secrets.ts";
import { type Address, addressOf, wireName } from "./addresses.ts";
import { BaseCommand } from "./base.ts";
import { nameArgument } from "./flags.ts";

export default class Url extends BaseCommand {
  static override summary = "Print a server's URL.";
  static override description =
    "Prints the URL for clients on this machine: of an MCP server its endpoint, of a server whose readiness is asked for " +
    "over HTTP its front page. It does not matter whether the server is running.";
  static override examples = [
    "<%= config.bin %> url notes",
    "claude mcp add --transport http notes $(<%= config.bin %> url notes)",
    "<%= config.bin %> url notes --json",
  ];
  static override enableJsonFlag = true;
  static override args = nameArgument;

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Url);
    const address = await addressOf(this, args.name, flags);
    const { url } = reachableServer(this, address);
    await this.show({ ...wireName(address), url }, { text: (shown) => shown.url });
  }
}

/** Where a server is reached, and with which token: see {@link tokenOf}. Ends the command if it speaks no HTTP. */
export function reachableServer(command: BaseCommand, address: Address, variable?: string) {
  const { name } = address;
  const applied = appliedServer(command.state, address);
  if (applied === undefined)
    return command.fail(EXIT.failed, `cannot read the record of ${name}: \`xy apply\` writes it again`);
  const url = serverUrl(applied.spec);
  if (url === undefined) return command.fail(EXIT.failed, whyNoUrl(applied.spec));
  const token = tokenOf(applied, variable);
  if (variable !== undefined && token === undefined)
    return command.fail(EXIT.usage, `cannot send ${variable} to ${name}: it has no such variable`);
  return { url, token };
}

function whyNoUrl({ name, host, port }: ServerSpec): string {
  const what = `cannot tell the URL of ${name}`;
  return port === null
    ? `${what}: it has no port; set \`port\`, and \`mcp\` if it is an MCP server`
    : `${what}: it listens on ${host}:${port}, but nothing says that it speaks HTTP; set \`mcp\`, or \`readiness "http"\``;
}

import { TOKEN_VARIABLE } from "../../model/bridge-token.ts";
import { STDIO_KEYS, stdioInput } from "../../model/mcp-fields.ts";
import type { FilledServer } from "../../model/server.ts";
import { isRemote } from "../../model/target.ts";
import type { KeyPath } from "../place.ts";

interface McpProblem {
  readonly path: KeyPath;
  readonly message: string;
}

/** Problems of what is said of an MCP server: each setting has the right form. */
export function mcpProblems(input: FilledServer, keyOf: (key: string) => string): McpProblem[] {
  const { mcp } = input;
  if (typeof mcp !== "object") return [];
  const stdio = stdioInput(mcp);
  if (stdio === undefined)
    return STDIO_KEYS.filter((key) => mcp[key] !== undefined).map((key) => ({
      path: ["mcp", key],
      message: `cannot use ${keyOf(key)} for a server that speaks HTTP: set transport to "stdio" beside it, or remove it`,
    }));
  const problems: McpProblem[] = [];
  const problem = (path: KeyPath, message: string) => problems.push({ path, message });
  if (!/^\/[^\s?#]*$/.test(stdio.path))
    problem(["mcp", "path"], `cannot serve at ${JSON.stringify(stdio.path)}: leave out spaces, ? and #`);
  if (input.portFlag !== undefined)
    problem(
      ["portFlag"],
      `cannot use ${keyOf("portFlag")} for a server that speaks over stdin and stdout: xy's bridge listens on the port; remove it`,
    );
  if (Object.hasOwn(input.env, TOKEN_VARIABLE))
    problem(
      ["env", TOKEN_VARIABLE],
      `cannot set ${TOKEN_VARIABLE} in env: xy's bridge takes its token under that name; write the reference to it as token in mcp`,
    );
  if (stdio.capabilities !== undefined && stdio.share !== "all")
    problem(
      ["mcp", "capabilities"],
      'cannot use capabilities where each client has a process of its own, which is told what that client can do: set share to "all" beside it, or remove it',
    );
  const url = `http://${input.host.includes(":") ? `[${input.host}]` : input.host}`;
  if (isRemote(url) && stdio.token === undefined)
    problem(
      ["host"],
      `cannot serve ${input.host} to everybody who reaches it: set token in mcp to a reference to a secret, or use a host such as 127.0.0.1`,
    );
  return problems;
}

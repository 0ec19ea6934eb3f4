import { TOKEN_VARIABLE } from "../../model/bridge-token.ts";
import type { DesiredClient } from "../../model/client-plan.ts";
import { clientUrl } from "../../model/mcp-url.ts";
import { own } from "../../model/own.ts";
import type { ServerSpec } from "../../model/spec.ts";
import { withoutUndefined } from "../../model/without-undefined.ts";
import type { DeclaredClient } from "../declared.ts";

/** What the files of clients are to say, once the ports of servers are known. */
export function desiredClients(
  clients: readonly DeclaredClient[],
  specs: readonly ServerSpec[],
): DesiredClient[] {
  return clients.map(({ client, scope, prefix, servers }) => ({
    client,
    scope,
    entries: servers.flatMap((server) => {
      const spec = specs.find(({ name }) => name === server);
      const url = spec && clientUrl(spec);
      if (spec === undefined || url === undefined) return [];
      return [{ server, name: `${prefix}${server}`, url, ...withoutUndefined({ token: tokenIn(spec) }) }];
    }),
  }));
}

/** Only the name of a variable can be said in a client's file; a token from elsewhere, or its text, never. */
function tokenIn({ env }: ServerSpec): { readonly variable?: string } | undefined {
  const token = own(env, TOKEN_VARIABLE);
  if (token === undefined || token === "") return undefined;
  return typeof token !== "string" && "env" in token.secret ? { variable: token.secret.env } : {};
}

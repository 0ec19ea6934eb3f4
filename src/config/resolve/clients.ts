import type { DesiredClient } from "../../model/client-plan.ts";
import { clientUrl } from "../../model/mcp-url.ts";
import type { ServerSpec } from "../../model/spec.ts";
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
      return url === undefined ? [] : [{ server, name: `${prefix}${server}`, url }];
    }),
  }));
}

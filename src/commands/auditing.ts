import type { AuditReport } from "../model/audit.ts";
import { EXIT } from "../model/exit-codes.ts";
import { serverUrl } from "../model/mcp-url.ts";
import { isRemote } from "../model/target.ts";
import { appliedServer, tokenOf } from "../operation/applied-secrets.ts";
import { audit } from "../probes/audit/audit.ts";
import { listeners } from "../system/listeners.ts";
import { recordedBackends, recordedProjects } from "../system/projects.ts";
import { addressOf } from "./addresses.ts";
import type { BaseCommand } from "./base.ts";
import { reachableServer } from "./url.ts";

/** For each request of an audit, ms: a server may start a process for it. */
const REQUEST_BOUND = 15_000;

/** Audits a server of xy's, or whatever answers at a URL of this machine. Ends the command where there is nothing to audit. */
export async function auditOf(
  command: BaseCommand,
  text: string,
  flags: { readonly config?: string | undefined },
): Promise<AuditReport> {
  const { url, token } = await targetOf(command, text, flags);
  const { hostname, host, port: given, pathname, search } = new URL(url);
  const port = given === "" ? 80 : Number(given);
  const address = hostname.replace(/^\[(.*)\]$/, "$1");
  const place = { address, port, host, path: `${pathname}${search}`, token, timeoutMs: REQUEST_BOUND };
  const isExposed = await canOthersReach(port);
  const report = await audit(url, place, { isExposed, signal: command.signal });
  if (typeof report === "string") command.fail(EXIT.failed, `cannot audit ${text}: ${report}`);
  return report;
}

interface Target {
  readonly url: string;
  readonly token?: string | undefined;
}

async function targetOf(
  command: BaseCommand,
  text: string,
  flags: { readonly config?: string | undefined },
): Promise<Target> {
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text))
    return reachableServer(command, await addressOf(command, text, flags));
  if (!URL.canParse(text) || new URL(text).protocol !== "http:")
    return command.fail(EXIT.usage, `cannot audit ${text}: write a URL such as http://127.0.0.1:8421/mcp`);
  const url = new URL(text).href;
  const own = ownTargets(command).find((one) => new URL(one.url).host === new URL(url).host);
  if (own === undefined && isRemote(url))
    return command.fail(
      EXIT.usage,
      `cannot audit ${text}: it is on another machine, whose owner has not asked for it; run \`xy probe --audit\` there`,
    );
  // A token goes to the server that it is for, and to nobody else.
  return own?.url === url ? own : { url };
}

/** All servers of xy's that speak HTTP. */
function ownTargets(command: BaseCommand): Target[] {
  return recordedProjects(command.state).flatMap((project) =>
    recordedBackends(command.state, project).flatMap((holder) => {
      const applied = appliedServer(command.state, { project, ...holder });
      const url = applied && serverUrl(applied.spec);
      return url === undefined ? [] : [{ url, token: tokenOf(applied as NonNullable<typeof applied>) }];
    }),
  );
}

async function canOthersReach(port: number): Promise<boolean> {
  try {
    const sockets = (await listeners()).get(port) ?? [];
    return sockets.some(({ address }) => !/^(127\.|::1$)/.test(address));
  } catch {
    // Nothing is known of it.
    return false;
  }
}

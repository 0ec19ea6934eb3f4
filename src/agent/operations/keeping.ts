import { specHash } from "../../model/canonical.ts";
import type { ParsedParams, ResultOf } from "../../rpc/contract.ts";
import { RPC_ERRORS, RpcError } from "../../rpc/errors.ts";
import type { Registry } from "../servers/registry.ts";
import type { Supervised } from "../servers/supervised.ts";
import type { Applied, Asked, Request } from "./apply-request.ts";
import { carryOut, filledIn } from "./applying.ts";
import { removeServer } from "./removing.ts";

/** Servers that no configuration declares: a person adds them, and a person removes them. */

/** Adds a server that no configuration declares, or starts it if the same one is there already. */
export async function keepServer(
  registry: Registry,
  asked: ParsedParams<"keep"> & Pick<Asked, "tell">,
  gone: AbortSignal,
): Promise<Applied> {
  const add = { action: "add", until: "ready", rollback: true, renamed: false } as const;
  const request = await filledIn({ ...asked, ...add });
  const holder = registry.otherHolder(asked.server, asked.project);
  if (holder !== undefined)
    throw refusal(
      asked,
      `${holder} runs a server of this name, which a configuration has declared; choose another one`,
    );
  return carryOut(registry, { ...request, kept: true }, gone, (present) => refuseOther(present, request));
}

const refusal = ({ server, project }: Pick<Asked, "server" | "project">, why: string) =>
  new RpcError(RPC_ERRORS.alreadyRunning, `cannot add ${server} to project ${project}: ${why}`);

/** What is there under this name is another server. */
function refuseOther({ spec, kept, unreadable }: Supervised, asked: Request): void {
  // It cannot run as it is, and if a configuration declares it, the next apply restores it.
  if (unreadable) return;
  if (!kept)
    throw refusal(
      asked,
      "a configuration has declared a server of this name; choose another one, or remove it there and run `xy apply`",
    );
  if (asked.spec === undefined || specHash(asked.spec) !== specHash(spec))
    throw refusal(
      asked,
      `there is one already, with another command, folder or environment; remove it with \`xy forget ${spec.name}\`, or choose another name`,
    );
}

/** A server that no configuration declares is stopped, and removed. */
export async function forgetServer(
  registry: Registry,
  { name, project }: ParsedParams<"forget">,
): Promise<ResultOf<"forget">> {
  const server = registry.get(name, project);
  if (!server.kept && !server.unreadable)
    throw new RpcError(
      RPC_ERRORS.invalidParams,
      `cannot forget ${name}: a configuration has declared it; remove it there, then \`xy apply\` removes it`,
    );
  const detail = detailOf(await removeServer(registry, server, "it is forgotten"));
  return { name, project: server.spec.project, detail };
}

const detailOf = (applied: Applied) => (applied.ok ? applied.detail : applied.message);

import { type ActionSecrets, actionKey } from "../../model/action.ts";
import type { BackendSettings } from "../../model/backend-settings.ts";
import type { Diagnostic } from "../../model/diagnostic.ts";
import { own } from "../../model/own.ts";
import type { Desired } from "../../model/plan.ts";
import { preferredPort } from "../../model/port.ts";
import type { SecretValues } from "../../model/spec-parts.ts";
import { keysOf, predecessorsOf } from "../check/action-order.ts";
import type { Declared, DeclaredServer } from "../declared.ts";
import { resolveAction } from "./action.ts";
import { resolveBackends } from "./backends.ts";
import { desiredClients } from "./clients.ts";
import { autoPorts } from "./ports.ts";
import { resolveServer } from "./server.ts";
import type { World } from "./world.ts";

export interface Resolved {
  readonly desired: Desired;
  /** Values of the secret references, by server and environment name. A server without any has no entry. */
  readonly secrets: Readonly<Record<string, SecretValues>>;
  /** The same of actions. */
  readonly actionSecrets: ActionSecrets;
  /** By server: env-files that neither this nor an earlier apply has read. A server without any has no entry. */
  readonly unread: Readonly<Record<string, readonly string[]>>;
  /** Ports of the `auto` servers, to be kept. */
  readonly autoPorts: Readonly<Record<string, number>>;
  /** How the backends are reached, with the values of passwords. */
  readonly settings: BackendSettings;
  /** Preflight problems, in server order; a server with one still has a spec. */
  readonly diagnostics: readonly Diagnostic[];
}

/** Fills in what depends on the machine: programs, paths, environments, secrets, ports. */
export async function resolve(declared: Declared, around: World): Promise<Resolved> {
  const world: World = { ...around, programs: new Map() };
  const ports = await autoPorts(declared.project, declared.servers, world);
  const moved = declared.servers.flatMap((server) => movedPort(server, own(ports, server.name), world));
  // One after another: a secret command may ask for a password on the terminal.
  const resolved = [];
  for (const server of declared.servers)
    resolved.push(await resolveServer(server, declared, own(ports, server.name), world));
  const actions = [];
  const keys = keysOf(declared.actions);
  for (const action of declared.actions) {
    const i = declared.servers.findIndex(({ name }) => name === action.server);
    const [server, result] = [declared.servers[i], resolved[i]];
    const owner = server && result ? { declared: server, resolved: result } : undefined;
    const after = predecessorsOf(action, keys);
    actions.push(await resolveAction(action, { owner, after }, declared, world));
  }
  const { settings, diagnostics } = await resolveBackends(declared.backends, world);
  const specs = resolved.map(({ spec }) => spec);
  const clients = desiredClients(declared.clients, specs);
  return {
    desired: {
      project: declared.project,
      root: declared.root,
      servers: specs,
      actions: actions.map(({ spec }) => spec),
      ...(clients.length > 0 && { clients }),
      ...(declared.elsewhere.length > 0 && { elsewhere: declared.elsewhereBecause }),
    },
    secrets: Object.fromEntries(
      resolved
        .filter(({ secrets }) => Object.keys(secrets).length > 0)
        .map(({ spec, secrets }) => [spec.name, secrets]),
    ),
    actionSecrets: Object.fromEntries(
      actions
        .filter(({ secrets }) => Object.keys(secrets).length > 0)
        .map(({ spec, secrets }) => [actionKey(spec), secrets]),
    ),
    unread: Object.fromEntries(
      resolved.filter(({ unread }) => unread.length > 0).map(({ spec, unread }) => [spec.name, unread]),
    ),
    autoPorts: ports,
    settings,
    diagnostics: [...diagnostics, ...moved, ...[...resolved, ...actions].flatMap((one) => one.diagnostics)],
  };
}

/** Says that another port than the preferred one was chosen: once, when it is chosen. */
function movedPort(
  { name, input, place }: DeclaredServer,
  port: number | undefined,
  world: Pick<World, "keptPort">,
): Diagnostic[] {
  const prefer = preferredPort(input.port);
  if (prefer === undefined || port === prefer || port === undefined || world.keptPort(name) === port)
    return [];
  const message = `port ${prefer} is taken: using port ${port} from now on`;
  return [{ severity: "warning", message, server: name, ...place(["port"]) }];
}

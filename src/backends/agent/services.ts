import { thisAccount } from "../../system/account.ts";
import { textIfFile } from "../../system/files.ts";
import type { Environment } from "../../system/paths.ts";
import type { Ask } from "../ask.ts";
import { LaunchdUser } from "./launchd-user.ts";
import type { AgentService } from "./service.ts";
import { SystemdUser } from "./systemd-user.ts";

/** The service manager of this account on this machine. `ask`: absent, its programs are run as usual. */
export function serviceOf(env: Environment, ask?: Ask): AgentService {
  const account = thisAccount();
  return process.platform === "darwin"
    ? new LaunchdUser(env, account, ask)
    : new SystemdUser(env, account, ask);
}

/**
 * Starts the agent through the service manager, if it is installed there for this state folder. False if it is not, or
 * if the manager fails: then the caller must start it in another way.
 */
export async function startInstalled(state: string, env: Environment): Promise<boolean> {
  const service = serviceOf(env);
  // A masked unit is a link that does not lead to a file.
  const text = textIfFile(service.file);
  if (text === undefined || service.stateIn(text) !== state) return false;
  return service.start().then(
    () => true,
    () => false,
  );
}

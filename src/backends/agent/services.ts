import { thisAccount } from "../../system/account.ts";
import { textIfFile } from "../../system/files.ts";
import type { Environment } from "../../system/paths.ts";
import { LaunchdUser } from "./launchd-user.ts";
import type { AgentService } from "./service.ts";
import { SystemdUser } from "./systemd-user.ts";

/** The service manager of this account on this machine. */
export function serviceOf(env: Environment): AgentService {
  const account = thisAccount();
  return process.platform === "darwin" ? new LaunchdUser(env, account) : new SystemdUser(env, account);
}

/**
 * Starts the agent by the service manager, where it is installed there for this state folder. False when it is not,
 * or the manager does not do it: then it has to be started by other means.
 */
export async function startInstalled(state: string, env: Environment): Promise<boolean> {
  const service = serviceOf(env);
  // One that a person has masked is a link to no file.
  const text = textIfFile(service.file);
  if (text === undefined || service.stateIn(text) !== state) return false;
  return service.start().then(
    () => true,
    () => false,
  );
}

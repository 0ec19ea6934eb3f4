import type { ServerSpec } from "../../model/spec.ts";
import { unitFamily } from "../../system/family.ts";
import { unitName } from "../render/unit.ts";

type Named = Pick<ServerSpec, "project" | "name"> & { readonly backend: string };

/** Pids of a server that a service manager runs, found from its main process. */
export async function pidsOf(server: Named, pid: number | undefined): Promise<readonly number[]> {
  const unit = server.backend === "systemd" ? `${unitName(server)}.service` : undefined;
  return (await unitFamily(pid, unit)).map((row) => row.pid);
}

import type { ActionSpec } from "../../src/model/action.ts";
import type { ServerSpec } from "../../src/model/spec.ts";
import { PROJECT } from "./spec.ts";

/** An action that runs nothing much. `server`: whose it is; null: it stands alone. */
export function actionOf(
  name: string,
  server: string | null = null,
  over: Partial<ActionSpec> = {},
): ActionSpec {
  return {
    name,
    project: PROJECT,
    server,
    command: "true",
    program: "/bin/true",
    interpreterArgs: [],
    script: null,
    args: [],
    env: { PATH: "/usr/bin:/bin" },
    workingDir: "/",
    umask: 0o022,
    openFiles: 1024,
    timeout: null,
    grace: 10_000,
    retries: { max: 0, backoffInitial: 10, backoffMax: 10 },
    schedule: null,
    concurrency: "forbid",
    description: "",
    tags: [],
    ...over,
  };
}

/** An action that runs what this server would. */
export function actionLike(
  { program, args, env, workingDir }: ServerSpec,
  name: string,
  server: string | null = null,
  over: Partial<ActionSpec> = {},
): ActionSpec {
  return actionOf(name, server, { command: program, program, args, env, workingDir, ...over });
}

import { type ServerSpec, serverSpec } from "./spec.ts";

/** How a server is treated whose spec is lost: what runs of it runs on, nothing new is started, a stop works. */
export function restingSpec(backend: ServerSpec["backend"], project: string, name: string): ServerSpec {
  const needed = { command: "", program: "", args: [], port: null, env: {}, workingDir: "/" };
  const resting = { wanted: "stop", restart: { policy: "never", maxRetriesPerMinute: 0 } };
  const spec = serverSpec.parse({ name: "x", project: "x", backend, ...needed, ...resting });
  // Whatever they are: a folder may have any name.
  return { ...spec, name, project };
}

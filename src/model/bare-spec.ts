import { type ServerSpec, serverSpec } from "./spec.ts";

/** A server that says nothing about itself: each setting is what it is in a record without it. */
export function bareSpec(backend: ServerSpec["backend"], project: string, name: string): ServerSpec {
  const needed = { command: "", program: "", args: [], port: null, env: {}, workingDir: "/" };
  const spec = serverSpec.parse({ name: "x", project: "x", backend, ...needed });
  // Whatever they are: a folder may have any name.
  return { ...spec, name, project };
}

/** How a server is treated whose spec is lost: what runs of it keeps running, nothing is started, a stop works. */
export function restingSpec(backend: ServerSpec["backend"], project: string, name: string): ServerSpec {
  const spec = bareSpec(backend, project, name);
  return { ...spec, wanted: "stop", restart: { ...spec.restart, policy: "never", maxRetriesPerMinute: 0 } };
}

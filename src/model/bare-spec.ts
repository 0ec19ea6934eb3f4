import { type ServerSpec, serverSpec } from "./spec.ts";

/** A server without any settings of its own: each one has the value that it has in a record without it. */
export function bareSpec(backend: ServerSpec["backend"], project: string, name: string): ServerSpec {
  const needed = { command: "", program: "", args: [], port: null, env: {}, workingDir: "/" };
  const spec = serverSpec.parse({ name: "x", project: "x", backend, ...needed });
  // Not checked: a folder may have any name.
  return { ...spec, name, project };
}

/** The spec for a server whose own is lost: a running process is left alone, nothing is started, a stop works. */
export function restingSpec(backend: ServerSpec["backend"], project: string, name: string): ServerSpec {
  const spec = bareSpec(backend, project, name);
  return { ...spec, wanted: "stop", restart: { ...spec.restart, policy: "never", maxRetriesPerMinute: 0 } };
}

import { type ServerSpec, serverSpec } from "./spec.ts";

/** How a server is treated whose spec is lost: what runs of it runs on, nothing new is started, a stop works. */
export function restingSpec(backend: ServerSpec["backend"], project: string, name: string): ServerSpec {
  const needed = {
    name,
    project,
    backend,
    command: "",
    program: "",
    args: [],
    port: null,
    env: {},
    workingDir: "/",
  };
  const restart = { policy: "never", maxRetriesPerMinute: 0 };
  return serverSpec.parse({ ...needed, restart, wanted: "stop" });
}

import { bridgeWords, CHILD_NODE_OPTIONS } from "./bridge-words.ts";
import { isStdio } from "./mcp-fields.ts";
import type { ServerSpec } from "./spec.ts";

/** Of a spec: what decides which process is started for it. */
type Launchable = Pick<ServerSpec, "program" | "args" | "port" | "host" | "mcp" | "restart">;

/** How a bridge is run on this machine. */
export interface BridgeHere {
  /** The words that run one. */
  readonly words: readonly [string, ...string[]];
  /** The folder where it keeps its clients' sessions. */
  readonly sessions?: string | undefined;
}

/**
 * What is really started for a spec. That is its own program, unless that speaks MCP over stdin and stdout: then it is xy's
 * bridge, which starts that program. How a bridge is run here is no part of the spec, so another version of xy or of Node
 * is no change of it.
 */
export function launchOf<Spec extends Launchable>(spec: Spec, here: BridgeHere): Spec {
  const { mcp } = spec;
  if (!isStdio(mcp)) return spec;
  const [program, ...words] = here.words;
  const kept = here.sessions === undefined ? [] : [`--sessions=${here.sessions}`];
  const said = [...bridgeWords(mcp, spec), ...kept];
  return { ...spec, program, args: [...words, ...said, "--", spec.program, ...spec.args] };
}

/** Whether a bridge is started for it. */
export const isBridged = ({ mcp }: Pick<ServerSpec, "mcp">): boolean => isStdio(mcp);

/** The environment of what is started for a spec. Node options are meant for its own program: see `bridge-words.ts`. */
export function launchEnv(
  spec: Pick<ServerSpec, "mcp">,
  env: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const { NODE_OPTIONS: options, ...rest } = env;
  return isBridged(spec) && options !== undefined ? { ...rest, [CHILD_NODE_OPTIONS]: options } : env;
}

import type { SecretInput } from "../../model/input-parts.ts";
import type { RootInput } from "../../model/server.ts";

/** What a configuration file imports from "xyctl". It resolves to the xy that reads the file. */

/** The machine that a configuration is evaluated on. */
export interface ConfigContext {
  readonly os: "linux" | "macos" | "other";
  /** As Node says it: `x64`, `arm64`, … */
  readonly arch: string;
  /** Short host name, without the domain. */
  readonly host: string;
  readonly user: string;
  readonly home: string;
  /** Environment of the command that reads the configuration. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

export type Config = RootInput | ((context: ConfigContext) => RootInput | Promise<RootInput>);

/** Gives an editor the type of a configuration; returns it as it is. */
export function defineConfig(config: Config): Config {
  return config;
}

/** References to values that are read when the configuration is applied, and kept out of plans. */
export const secret = {
  /** A variable in the environment of the command that applies. */
  env: (name: string): SecretInput => ({ secret: { env: name } }),
  /** The content of a file; one final line break is left out. */
  file: (path: string): SecretInput => ({ secret: { file: path } }),
  /** The output of a shell command line; one final line break is left out. */
  command: (line: string): SecretInput => ({ secret: { command: line } }),
};

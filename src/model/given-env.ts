import type { Machine } from "./machine.ts";

/** The environment of which nobody says anything: what a server, an action or a typed command has all the same. */

/** Of a machine, what that depends on. */
type Facts = Omit<Machine, "host" | "arch" | "uid">;

/** What every server gets from the account and the system, whatever shell xy was called from. PATH comes to it. */
export function accountEnv(machine: Facts): Record<string, string> {
  return {
    HOME: machine.home,
    USER: machine.user,
    LOGNAME: machine.user,
    ...(machine.shell !== undefined && { SHELL: machine.shell }),
    LANG: machine.lang,
    ...(machine.tmpdir !== undefined && { TMPDIR: machine.tmpdir }),
    ...(machine.runtimeDir !== undefined && { XDG_RUNTIME_DIR: machine.runtimeDir }),
  };
}

/**
 * The environment of which a configuration says nothing. `folders`: those that come first on its PATH, as that of its
 * program does.
 */
export function givenEnv(machine: Facts, folders: readonly string[]): Record<string, string> {
  return { ...accountEnv(machine), PATH: [...new Set([...folders, ...systemPath(machine)])].join(":") };
}

/** Folders that are on every server's PATH, after those of the program and of the configuration. */
export function systemPath({ os, home }: Pick<Machine, "os" | "home">): string[] {
  const system = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];
  const homebrew = os === "macos" ? ["/opt/homebrew/bin", "/opt/homebrew/sbin"] : [];
  return [`${home}/.local/bin`, ...homebrew, ...system];
}

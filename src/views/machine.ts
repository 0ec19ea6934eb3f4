import type { Machine } from "../model/machine.ts";

/** The machine that a configuration was evaluated for, in JSON documents. */
export const shownMachine = ({ os, arch, host, user, home }: Machine) => ({ os, arch, host, user, home });

/** The same for a person: `mbp (macos, arm64, ada)`. */
export const machineTitle = ({ os, arch, host, user }: Machine) => `${host} (${os}, ${arch}, ${user})`;

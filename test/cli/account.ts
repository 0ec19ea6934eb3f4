import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Home } from "./cli.ts";

const ROOT = join(import.meta.dirname, "../..");
const isRoot = process.getuid?.() === 0;

/** Where an ordinary account finds things, and how a shell is run as that account. */
export interface Account {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly node: string;
  readonly launcher: string;
  /** Folder of the package. */
  readonly root: string;
  /** A shell, up to the script that is its last argument. */
  readonly shell: readonly [string, ...string[]];
}

interface AccountOptions {
  /** Whether passwd has an entry for it. */
  readonly isListed?: boolean;
  readonly name?: string;
  /** What the machine is called there. */
  readonly host?: string;
  /** Folders that are seen there too, below /mnt, by where. */
  readonly mounts?: Readonly<Record<string, string>>;
}

/**
 * An ordinary account with a group of its own, and a umask. For root it is one that only a mount namespace knows, as
 * nothing on the machine may change; for anybody else it is their own.
 */
export function accountWith(
  umask: string,
  home: Home,
  { isListed = true, name = "ann", host, mounts = {} }: AccountOptions = {},
): Account {
  if (!isRoot) {
    const env = home.env as Record<string, string>;
    const shell = ["bash", "-c", `umask ${umask}; exec bash -c "$1"`, "bash"] as const;
    const { execPath: node } = process;
    return { cwd: home.path, env, node, root: ROOT, launcher: join(ROOT, "bin/xy.js"), shell: [...shell] };
  }
  const files = join(home.path, "etc");
  mkdirSync(files, { recursive: true });
  const entry = isListed ? `${name}:x:${ID}:${ID}::/mnt/home:/bin/sh\n` : "";
  writeFileSync(join(files, "passwd"), `root:x:0:0::/root:/bin/sh\n${entry}`);
  writeFileSync(join(files, "group"), `root:x:0:\n${name}:x:${ID}:\n`);
  const enter = [
    "mount --make-rprivate /",
    `mount --bind '${files}/passwd' /etc/passwd`,
    `mount --bind '${files}/group' /etc/group`,
    // The same project gets the same ports in each home: each has its own loopback.
    "ip link set lo up",
    // Short, and open to the account: the folders of the tests are root's alone.
    "mount -t tmpfs tmpfs /mnt",
    "mkdir /mnt/xy /mnt/home /mnt/tmp",
    // Node may be in root's own folder.
    `touch /mnt/node; mount --bind '${process.execPath}' /mnt/node`,
    `chown ${ID}:${ID} /mnt/home /mnt/tmp`,
    `mount --bind '${ROOT}' /mnt/xy`,
    ...Object.entries(mounts).map(([path, folder]) => `mkdir ${path}; mount --bind '${folder}' ${path}`),
    ...(host === undefined ? [] : [`echo ${host} >/proc/sys/kernel/hostname`]),
    `umask ${umask}`,
    "cd /mnt/home",
    `exec setpriv --reuid=${ID} --regid=${ID} --clear-groups bash -c "$1"`,
  ];
  return {
    cwd: "/",
    env: { PATH: process.env.PATH ?? "", HOME: "/mnt/home", TMPDIR: "/mnt/tmp" },
    node: "/mnt/node",
    launcher: "/mnt/xy/bin/xy.js",
    root: "/mnt/xy",
    shell: ["unshare", "--mount", "--net", "--uts", "bash", "-ec", enter.join("\n"), "bash"],
  };
}

/** No account of a machine that tests run on. */
export const ID = 42_421;

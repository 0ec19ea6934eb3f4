import { userInfo } from "node:os";

/** The account that this process runs as, by its number and what the system's list of accounts has of it. */
export interface ThisAccount {
  readonly uid: number;
  readonly username: string;
  /** Absent: nobody has written down where its home is. */
  readonly homedir?: string;
  readonly shell: string | null;
}

/** One without an entry in passwd, as in a container, goes by its number. */
export function thisAccount(): ThisAccount {
  try {
    return userInfo();
  } catch {
    const uid = process.getuid?.() ?? 0;
    return { uid, username: String(uid), shell: null };
  }
}

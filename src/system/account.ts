import { userInfo } from "node:os";

/** The account that this process runs as: its uid, and its entry in the system's list of accounts. */
export interface ThisAccount {
  readonly uid: number;
  readonly username: string;
  /** Absent if its home folder is not listed. */
  readonly homedir?: string;
  readonly shell: string | null;
}

/** An account without an entry in passwd, as in a container, is named by its uid. */
export function thisAccount(): ThisAccount {
  try {
    return userInfo();
  } catch {
    const uid = process.getuid?.() ?? 0;
    return { uid, username: String(uid), shell: null };
  }
}

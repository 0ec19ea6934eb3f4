import { execFileSync } from "node:child_process";

/** Longest that getconf may take, ms. */
const BOUND = 5000;

/**
 * This account's folder for temporary files, as a login has it, whatever the caller's TMPDIR is: nix-shell and ssh set
 * another one. `getconf`: the program that prints it on macOS, where each account has its own.
 */
export function temporaryFolder(
  platform: NodeJS.Platform = process.platform,
  getconf = "/usr/bin/getconf",
): string {
  if (platform !== "darwin") return "/tmp";
  try {
    const told = execFileSync(getconf, ["DARWIN_USER_TEMP_DIR"], {
      encoding: "utf8",
      timeout: BOUND,
      stdio: ["ignore", "pipe", "ignore"],
    }).replace(/\/?\n$/, "");
    return told.startsWith("/") ? told : "/tmp";
  } catch {
    return "/tmp";
  }
}

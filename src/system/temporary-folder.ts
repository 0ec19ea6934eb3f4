import { execFileSync } from "node:child_process";

/** Longest that getconf may take, ms. */
const BOUND = 5000;

/**
 * The folder for temporary files of this account: what a login has, whatever TMPDIR the caller was given, as that of
 * nix-shell or of ssh is another. `getconf`: the program that tells it on macOS, where each account has its own.
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

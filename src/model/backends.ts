/** What can run a server. */
export const BACKENDS = ["agent", "systemd", "launchd", "supervisord"] as const;

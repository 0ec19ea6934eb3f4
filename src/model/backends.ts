/** The service managers whose units xy writes. */
export const MANAGERS = ["systemd", "launchd", "supervisord"] as const;
export type Manager = (typeof MANAGERS)[number];

/** What can run a server. */
export const BACKENDS = ["agent", ...MANAGERS] as const;
export type BackendKind = (typeof BACKENDS)[number];

import type { Shape } from "../types.ts";

/** What many clients have in common, after the first one that had it. */

/** `mcpServers` in JSON, without a way to reach a server over HTTP. */
export const STDIO_ONLY = {
  format: "json",
  path: ["mcpServers"],
  holds: "map",
  stdio: { command: "command", args: "args" },
} as const satisfies Shape;

/** The same with `url` and `headers`. */
export const BY_URL = {
  ...STDIO_ONLY,
  http: { url: "url", headers: ["headers"] },
} as const satisfies Shape;

/** The same with a word for the transport. */
export const TYPED = {
  ...BY_URL,
  http: { ...BY_URL.http, always: { type: "http" } },
} as const satisfies Shape;

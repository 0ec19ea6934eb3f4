import type { ClientRow } from "../types.ts";
import { BY_URL, STDIO_ONLY, TYPED } from "./shapes.ts";

/** Editors, and what runs in them. */

export const vscode: ClientRow<"user" | "project"> = {
  title: "VS Code",
  files: {
    user: { linux: ["{config}/Code/User/mcp.json"], macos: ["{support}/Code/User/mcp.json"] },
    project: [".vscode/mcp.json"],
  },
  shapes: [{ ...TYPED, path: ["servers"], stdio: { ...TYPED.stdio, always: { type: "stdio" } } }],
  reload: "it reads the file again when it changes",
};

export const cursor: ClientRow<"user" | "project"> = {
  title: "Cursor",
  files: { user: ["~/.cursor/mcp.json"], project: [".cursor/mcp.json"] },
  shapes: [{ ...BY_URL, variable: ["${env:", "}"] }],
  reload: "it reads the file again when it changes; a new server is switched on in its settings",
};

const DISABLED = { field: "disabled", value: true } as const;
const BY_SERVER_URL = { ...BY_URL, http: { url: "serverUrl", headers: ["headers"] } } as const;

export const antigravity: ClientRow<"user"> = {
  title: "Antigravity",
  files: { user: ["~/.gemini/config/mcp_config.json"] },
  shapes: [BY_SERVER_URL],
  reload: "refresh the servers in its settings",
};

export const windsurf: ClientRow<"user"> = {
  title: "Windsurf",
  files: { user: ["~/.codeium/windsurf/mcp_config.json"] },
  shapes: [{ ...BY_SERVER_URL, off: DISABLED }],
  reload: "refresh the servers in its settings",
};

export const zed: ClientRow<"user" | "project"> = {
  title: "Zed",
  files: {
    user: {
      linux: ["{config}/zed/settings.json"],
      macos: ["~/.config/zed/settings.json", "{support}/Zed/settings.json"],
    },
    project: [".zed/settings.json"],
  },
  shapes: [
    {
      ...BY_URL,
      path: ["context_servers"],
      http: { ...BY_URL.http, always: { source: "custom", type: "http" } },
      stdio: { ...BY_URL.stdio, always: { source: "custom" } },
    },
  ],
  reload: "it reads the file again when it changes",
};

export const cline: ClientRow<"user"> = {
  title: "Cline",
  files: {
    user: {
      linux: ["{config}/Code/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json"],
      macos: ["{support}/Code/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json"],
    },
  },
  // Without the type, it would take the address for one of SSE.
  shapes: [{ ...BY_URL, http: { ...BY_URL.http, always: { type: "streamableHttp" } }, off: DISABLED }],
  reload: "it reads the file again when it changes",
};

export const continueDev: ClientRow<"user"> = {
  title: "Continue",
  files: { user: ["~/.continue/config.yaml"] },
  shapes: [
    {
      format: "yaml",
      path: ["mcpServers"],
      holds: "list",
      http: { url: "url", always: { type: "streamable-http" }, headers: ["requestOptions", "headers"] },
      stdio: { command: "command", args: "args" },
    },
  ],
  fresh: "name: Local\nversion: 1.0.0\nschema: v1\n",
  reload: "it reads the file again when it changes",
};

export const junie: ClientRow<"user" | "project"> = {
  title: "Junie",
  files: { user: ["~/.junie/mcp/mcp.json"], project: [".junie/mcp/mcp.json"] },
  shapes: [STDIO_ONLY],
  reload: "start a new session",
};

export const kiro: ClientRow<"user" | "project"> = {
  title: "Kiro",
  files: { user: ["~/.kiro/settings/mcp.json"], project: [".kiro/settings/mcp.json"] },
  shapes: [{ ...BY_URL, off: DISABLED }],
  reload: "it reads the file again when it changes",
};

import type { ClientRow, Shape } from "../types.ts";
import { BY_URL, STDIO_ONLY, TYPED } from "./shapes.ts";

/** Programs that run by themselves: in a terminal, or in a window of their own. */

export const claudeCode: ClientRow<"user" | "project"> = {
  title: "Claude Code",
  files: { user: ["$CLAUDE_CONFIG_DIR/.claude.json", "~/.claude.json"], project: [".mcp.json"] },
  shapes: [{ ...TYPED, variable: ["${", "}"] }],
  reload: "start a new session; it asks once about the servers of a project",
};

export const claudeDesktop: ClientRow<"user"> = {
  title: "Claude Desktop",
  files: {
    user: {
      linux: ["{config}/Claude/claude_desktop_config.json", "{config}/claude/claude_desktop_config.json"],
      macos: ["{support}/Claude/claude_desktop_config.json"],
    },
  },
  shapes: [STDIO_ONLY],
  reload: "quit and start it again",
};

export const copilotCli: ClientRow<"user" | "project"> = {
  title: "Copilot CLI",
  files: {
    user: ["$COPILOT_HOME/mcp-config.json", "~/.copilot/mcp-config.json"],
    project: [".github/mcp.json"],
  },
  shapes: [
    {
      ...TYPED,
      http: { ...TYPED.http, last: { tools: ["*"] } },
      stdio: { ...TYPED.stdio, always: { type: "stdio" }, last: { tools: ["*"] } },
    },
  ],
  reload: "start a new session",
};

export const codex: ClientRow<"user" | "project"> = {
  title: "Codex",
  files: { user: ["$CODEX_HOME/config.toml", "~/.codex/config.toml"], project: [".codex/config.toml"] },
  shapes: [
    {
      format: "toml",
      path: ["mcp_servers"],
      holds: "map",
      // Fields that it does not know make it refuse the file, so an entry has no more than these.
      http: { url: "url", tokenVariable: "bearer_token_env_var" },
      stdio: { command: "command", args: "args" },
      off: { field: "enabled", value: false },
    },
  ],
  reload: "start a new session; it reads a project's file once the project is trusted",
};

export const geminiCli: ClientRow<"user" | "project"> = {
  title: "Gemini CLI",
  files: { user: ["~/.gemini/settings.json"], project: [".gemini/settings.json"] },
  // Without the type, it would take the address for one of SSE.
  shapes: [{ ...TYPED, variable: ["${", "}"] }],
  reload: "`/mcp reload` in the session",
};

export const goose: ClientRow<"user"> = {
  title: "Goose",
  files: { user: ["{config}/goose/config.yaml"] },
  shapes: [
    {
      format: "yaml",
      path: ["extensions"],
      holds: "map",
      named: true,
      http: {
        url: "uri",
        always: { type: "streamable_http" },
        headers: ["headers"],
        last: { enabled: true, timeout: 300 },
      },
      stdio: {
        command: "cmd",
        args: "args",
        always: { type: "stdio" },
        last: { enabled: true, timeout: 300 },
      },
      off: { field: "enabled", value: false },
    },
  ],
  reload: "start a new session",
};

const OPENCODE = {
  format: "json",
  holds: "map",
  http: { url: "url", always: { type: "remote" }, headers: ["headers"] },
  stdio: { command: "command", always: { type: "local" } },
  variable: ["{env:", "}"],
} as const satisfies Partial<Shape>;

export const opencode: ClientRow<"user" | "project"> = {
  title: "opencode",
  files: {
    user: ["{config}/opencode/opencode.json", "{config}/opencode/opencode.jsonc"],
    project: ["opencode.json", "opencode.jsonc"],
  },
  shapes: [
    { ...OPENCODE, path: ["mcp", "servers"], off: { field: "disabled", value: true } },
    { ...OPENCODE, path: ["mcp"], off: { field: "enabled", value: false } },
  ],
  reload: "start it again",
};

export const lmStudio: ClientRow<"user"> = {
  title: "LM Studio",
  files: { user: ["~/.lmstudio/mcp.json"] },
  shapes: [BY_URL],
  reload: "it reads the file again when it changes",
};

export const amp: ClientRow<"user"> = {
  title: "Amp",
  files: { user: ["{config}/amp/settings.json"] },
  shapes: [{ ...BY_URL, path: ["amp.mcpServers"] }],
  reload: "start a new session",
};

export const crush: ClientRow<"user"> = {
  title: "Crush",
  files: { user: ["{config}/crush/crush.json"] },
  shapes: [
    {
      ...TYPED,
      path: ["mcp"],
      stdio: { ...TYPED.stdio, always: { type: "stdio" } },
      off: { field: "disabled", value: true },
    },
  ],
  reload: "start it again",
};

import type { KnipConfig } from "knip";
import { bundleEntries } from "./scripts/entries.ts";

export default {
  entry: [
    ...Object.values(bundleEntries(import.meta.dirname)).filter(
      (source) => !source.startsWith("src/commands/"),
    ),
    "scripts/{build,check,demo,generate,soak}.ts",
    "test/**/*.test.ts",
    "test/rig/{journal-follower,puppet*}.ts",
  ],
  project: ["src/**/*.ts", "scripts/**/*.ts", "test/**/*.ts", "bench/**/*.ts", "*.ts"],
  // Started by the tests as programs.
  ignoreDependencies: [
    "@modelcontextprotocol/node",
    "@modelcontextprotocol/server",
    "@modelcontextprotocol/server-everything",
    "@modelcontextprotocol/server-filesystem",
    "@modelcontextprotocol/server-memory",
    "@upstash/context7-mcp",
    "mcp-proxy",
    "mcp-remote",
    "mcporter",
    "pm2",
    "supergateway",
  ],
  // Of the system: what needs them does without, and tests are skipped.
  ignoreBinaries: [
    "fish",
    "getent",
    "journalctl",
    "man",
    "mkfifo",
    "perl",
    "plistutil",
    "prlimit",
    "supervisorctl",
    "supervisord",
    "unshare",
  ],
} satisfies KnipConfig;

/** An MCP server that speaks 2026-07-28 alone: it refuses `initialize`. */
import { toNodeHandler } from "@modelcontextprotocol/node";
import { createMcpHandler } from "@modelcontextprotocol/server";
import { listen, twoTools } from "./listen.mjs";

listen(toNodeHandler(createMcpHandler(() => twoTools("modern-only"), { legacy: "reject" })));

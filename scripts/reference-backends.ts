import { readFile } from "node:fs/promises";
import { ADDED, CAPABILITIES } from "../src/backends/render/capabilities.ts";
import { type Capability, capabilityOf } from "../src/backends/render/capability.ts";
import { MANAGERS } from "../src/model/backends.ts";
import { between, head, row } from "./page-table.ts";

const PAGE = new URL("../docs/backends.md", import.meta.url);

/** The page about backends, with new tables. The rest of it is written by hand. */
export async function backendsText(): Promise<string> {
  const text = await readFile(PAGE, "utf8");
  return Object.entries({ capabilities: capabilities(), added: added() }).reduce(
    (page, [name, table]) => between(page, name, table, "docs/backends.md"),
    text,
  );
}

function capabilities(): string {
  const rows = CAPABILITIES.flatMap((each) => {
    const line = (field: string, installed: boolean) =>
      row([field, ...MANAGERS.map((manager) => cell(capabilityOf(each, manager, installed)))]);
    const { field, installed } = each;
    return installed ? [line(field, true), line(`${field}: emitted`, false)] : [line(field, true)];
  });
  return [...head(["field", ...MANAGERS]), ...rows].join("\n");
}

function added(): string {
  const rows = MANAGERS.map((manager) =>
    row([manager, ADDED[manager].map((name) => `\`${name}\``).join(", ")]),
  );
  return [...head(["manager", "sets"]), ...rows].join("\n");
}

function cell(capability: Capability): string {
  switch (capability.kind) {
    case "exact":
      return `exact: ${capability.by}`;
    case "approximate":
      return `roughly: ${capability.by}; ${capability.how}`;
    case "absent":
      return `**no**: ${capability.instead}`;
  }
}

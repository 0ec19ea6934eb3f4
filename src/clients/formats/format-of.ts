import { cannotHappen } from "../../model/cannot-happen.ts";
import type { FormatName } from "../types.ts";
import type { Format } from "./format.ts";

/** Loads what reads a format. */
export async function formatOf(name: FormatName): Promise<Format> {
  switch (name) {
    case "json":
      return (await import("./json.ts")).json;
    case "yaml":
      return (await import("./yaml.ts")).yaml;
    case "toml":
      return (await import("./toml.ts")).toml;
    default:
      return cannotHappen(name);
  }
}

import { option } from "@oclif/core/flags";

/** A flag that chooses lines, and what it is on the wire. */

export const streamFlag = {
  stream: option({
    options: ["out", "err"] as const,
    summary: "Show only standard output, or only standard error.",
  })(),
};

export function wireStream(stream: "out" | "err" | undefined): { stream?: "stdout" | "stderr" } {
  if (stream === undefined) return {};
  return { stream: stream === "out" ? "stdout" : "stderr" };
}

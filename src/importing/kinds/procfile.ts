import { Drafting } from "../drafting.ts";
import { type Kind, NO_SETTING } from "./kind.ts";

export const procfile: Kind = {
  id: "procfile",
  what: "a Procfile",
  format: "procfile",
  fits: (name, value, text) =>
    /^Procfile(?:\.|$)/i.test(name) &&
    (typeof value !== "object" || value === null || /^[A-Za-z0-9_-]+:\s*\S/m.test(text)),
  read: (top, { folder }) => ({
    others: [],
    drafts: top.parts.map((piece) => {
      const drafting = new Drafting(piece.name, piece.line, "none");
      const line = piece.text() ?? "";
      drafting.fields.workingDir = drafting.path(folder);
      drafting.runsLine(line);
      // Those who run a Procfile give each process a port of its own.
      if (/\$\{?PORT\b/.test(line)) {
        drafting.fields.port = "auto";
        drafting.fields.env = { PORT: "{port}" };
      }
      drafting.findPort();
      const draft = drafting.end();
      return drafting.fields.port === "auto"
        ? { ...draft, fields: { ...draft.fields, env: { PORT: "{port}" } } }
        : draft;
    }),
  }),
  reason: () => NO_SETTING,
};

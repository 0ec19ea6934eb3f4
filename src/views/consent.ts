import { type Diagnostic, formatDiagnostic } from "../model/diagnostic.ts";
import { type ConsentQuestion, managerText, type Power } from "../model/power.ts";
import { visible } from "../model/visible.ts";
import type { Screen } from "./screen.ts";
import { wrap, wrapHard } from "./width.ts";

/** Columns before what a configuration says: none of it can look like a line of xy's own. */
const INDENT = 8;

/**
 * What is shown before a person is asked whether a configuration may be used, without a newline at its end. Nothing is
 * left out, and nothing cut.
 */
export function consentView({ root, powers }: ConsentQuestion, screen: Screen): string {
  const intro = `You have not agreed to ${path(root, screen)} yet. If you do, it can:`;
  const end = "Your answer covers this folder, even when its files change. `xy trust` lists your answers.";
  return [
    wrap(intro, screen.width),
    ...powers.flatMap((power) => powerLines(power, screen)),
    wrap(end, screen.width),
  ].join("\n");
}

/** Commands that run now and were not among those that were agreed to, without a newline at the end. */
export function unseenView(root: string, unseen: readonly Power[], screen: Screen): string {
  const intro = `New since you agreed to ${path(root, screen)}; use --trust to agree again and stop seeing this:`;
  return [wrap(intro, screen.width), ...unseen.flatMap((power) => powerLines(power, screen))].join("\n");
}

function powerLines(power: Power, screen: Screen): string[] {
  const [what, text] = words(power);
  const at: Diagnostic = { severity: "error", message: "", ...power.place };
  const place = `in ${formatDiagnostic(at, screen.shorten).replace(/: $/, "")}`;
  return [`  - ${what}`, ...[text, place].flatMap((one) => (one === "" ? [] : indented(one, screen)))];
}

function indented(text: string, { width }: Screen): string[] {
  const room = width === undefined ? undefined : width - INDENT;
  return wrapHard(visible(text), room)
    .split("\n")
    .map((line) => " ".repeat(INDENT) + line);
}

function words(power: Power): [what: string, text: string] {
  switch (power.can) {
    case "program":
      return ["run a program, which can do anything that you can do", ""];
    case "include":
      return ["include a file from another folder:", power.included];
    case "secret":
      return ["run a command for a secret:", power.command];
    case "probe":
      return ["run a command as a probe:", power.command];
    case "request":
      return ["send requests to a URL as a probe:", power.url];
    case "manager":
      return ["connect to supervisord:", managerText(power)];
    case "client":
      return ["write into your own file of an editor or assistant:", power.client];
  }
}

function path(root: string, { shorten = (text) => text }: Screen): string {
  return visible(shorten(root));
}

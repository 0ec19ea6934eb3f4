import { type Diagnostic, formatDiagnostic } from "../model/diagnostic.ts";
import type { ConsentQuestion, Power } from "../model/power.ts";
import { visible } from "../model/visible.ts";
import { painter, type Screen } from "./screen.ts";
import { wrap } from "./width.ts";

/** What is shown before a person is asked whether a configuration may be used. Nothing is left out, and nothing cut. */
export function consentText({ root, powers }: ConsentQuestion, screen: Screen): string {
  const paint = painter(screen);
  const lines = powers.map((power) => {
    const [what, text] = words(power);
    return `  ${paint("bold", what)}${text === "" ? "" : ` ${text}`}\n    ${paint("dim", `in ${placeText(power, screen)}`)}`;
  });
  const shorten = screen.shorten ?? ((path: string) => path);
  const intro = `You have not agreed to ${visible(shorten(root))} yet. If you do, it can:`;
  const end = "Your answer covers this folder, even when its files change. `xy trust` lists your answers.";
  return ["", wrap(intro, screen.width), ...lines, "", wrap(end, screen.width)].join("\n");
}

/** Commands that run now and were not among those that were agreed to. */
export function unseenText(root: string, unseen: readonly Power[], screen: Screen): string {
  const shorten = screen.shorten ?? ((path: string) => path);
  const lines = unseen.map((power) => `  ${words(power).join(" ")} (${placeText(power, screen)})`);
  const intro = `New since you agreed to ${visible(shorten(root))}; use --trust to agree again and stop seeing this:`;
  return [wrap(intro, screen.width), ...lines].join("\n");
}

function words(power: Power): [what: string, text: string] {
  switch (power.can) {
    case "program":
      return ["run a program, which can do anything that you can do", ""];
    case "secret":
      return ["run a command for a secret:", visible(power.command)];
    case "probe":
      return ["run a command as a probe:", visible(power.command)];
    case "manager":
      return [
        power.password ? "connect to supervisord, and send it a password:" : "connect to supervisord:",
        visible(power.url),
      ];
  }
}

function placeText({ place }: Power, { shorten }: Screen): string {
  const at: Diagnostic = { severity: "error", message: "", ...place };
  return visible(formatDiagnostic(at, shorten).replace(/: $/, ""));
}

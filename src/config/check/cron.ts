import { Cron } from "croner";

/** What is wrong with a cron expression, with the way out; undefined for a good one. */
export function cronFault(expression: string): string | undefined {
  const written = JSON.stringify(expression);
  const wayOut = 'write minute, hour, day of month, month and day of week, such as "0 3 * * *"';
  // A single date is no schedule.
  if (/^\d{4}-/.test(expression)) return `cannot use ${written} as a schedule: ${wayOut}`;
  try {
    const next = new Cron(expression, { paused: true, mode: "5-or-6-parts" }).nextRun();
    return next === null
      ? `cannot use ${written} as a schedule: that time never comes; ${wayOut}`
      : undefined;
  } catch (error) {
    const why = (error as Error).message.replace(/^CronPattern: | \('.*|: -?\d+$|\.$/gs, "");
    return `cannot use ${written} as a schedule: ${why}; ${wayOut}`;
  }
}

export function timeZoneFault(timeZone: string): string | undefined {
  try {
    new Intl.DateTimeFormat("en", { timeZone });
    return undefined;
  } catch {
    return `cannot use ${JSON.stringify(timeZone)} as a time zone: this machine does not know it; write a name such as "Europe/Berlin"`;
  }
}

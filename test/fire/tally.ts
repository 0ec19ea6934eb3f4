/** What a run did, and what came of it: figures that people read, and that a later run is held against. */
export interface Tally {
  readonly seed: number;
  /** How often each fault was done, by its name. */
  readonly faults: Record<string, number>;
  /** Calls and configurations that nobody would write. */
  calls: number;
  configurations: number;
  /** Kinds of files that were damaged. */
  readonly files: string[];
  /** After which a person had to do what a message said. */
  helped: number;
  /** Servers that were restarted since what was known of them was lost. */
  restarted: number;
  /** Of the server that prints all the time: SIGKILLs for its agents, places in its output where some is missing, bytes missing there. */
  kills: number;
  gaps: number;
  bytesLost: number;
  /** Ends of servers that were looked at, and those of them that nobody could have seen. */
  ends: number;
  unseen: number;
  /** What is wrong, each with the fault that led to it. */
  readonly findings: string[];
  seconds: number;
}

export const newTally = (seed: number): Tally => ({
  seed,
  faults: {},
  calls: 0,
  configurations: 0,
  files: [],
  helped: 0,
  restarted: 0,
  kills: 0,
  gaps: 0,
  bytesLost: 0,
  ends: 0,
  unseen: 0,
  findings: [],
  seconds: 0,
});

const number = (n: number) => n.toLocaleString("en");

/** One line each, for a terminal and for the page. */
export function tallyLines(tally: Tally): string[] {
  const { faults, files } = tally;
  const total = Object.values(faults).reduce((sum, n) => sum + n, 0);
  return [
    `${number(total)} faults of ${Object.keys(faults).length} kinds in ${number(Math.round(tally.seconds / 60))} min, seed ${tally.seed}`,
    `${number(files.length)} kinds of files and folders of the state folder damaged`,
    `${number(tally.calls)} strange calls, ${number(tally.configurations)} strange configuration files`,
    `${number(tally.ends)} ends of servers looked at: ${number(tally.ends - tally.unseen)} exact, ${number(tally.unseen)} that nobody could see, told as that`,
    `${number(tally.kills)} times SIGKILL for an agent: ${number(tally.gaps)} gaps in the output, ${number(tally.bytesLost)} bytes`,
    `${number(tally.restarted)} restarts because what was known of a server was lost with its file`,
    `${number(tally.helped)} faults that a person mended by doing what the message said`,
    `${number(tally.findings.length)} findings`,
  ];
}

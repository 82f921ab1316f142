// The command line: names, flags and help. Each command's work is in commands/.

import { toKinglyError } from "@kingly/base";
import { Command, CommanderError } from "commander";
import { runApply } from "./commands/apply.ts";
import { runClusterStatus } from "./commands/cluster.ts";
import { runDelete } from "./commands/delete.ts";
import { runDescribe } from "./commands/describe.ts";
import { runGet, type GetFlags } from "./commands/get.ts";
import { runPropose, type ProposeFlags } from "./commands/propose.ts";
import { runQuarantineList, runQuarantineRelease } from "./commands/quarantine.ts";
import type { QuarantineListFlags, ReleaseFlags } from "./commands/quarantine.ts";
import { runRolloutStatus, runRolloutWord, type RolloutWord } from "./commands/rollout.ts";
import { runTokenCreate } from "./commands/token.ts";
import type { TokenFlags } from "./commands/token.ts";
import { runVeto } from "./commands/veto.ts";
import { runWhy } from "./commands/why.ts";
import { EXIT, exitCodeOf } from "./exit-code.ts";
import type { Io } from "./io.ts";
import { withSession, type GlobalFlags, type Session } from "./session.ts";
import { VERSION } from "./version.ts";

type Action = (session: Session) => Promise<number>;
type Runner = (action: Action) => Promise<void>;

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

function addReading(program: Command, run: Runner): void {
  program
    .command("get")
    .argument("<kind>", "kind, several kinds as KIND,KIND, or KIND/NAME (may be repeated)")
    .argument("[names...]", "names of objects of one kind")
    .description("show objects")
    .option("-o, --output <format>", "table|wide|json|yaml|name", "table")
    .option("-w, --watch", "go on as they change", false)
    .option("-A, --all-namespaces", "of every namespace", false)
    .option("--no-headers", "leave the header line out")
    .action((kind: string, names: string[], flags: GetFlags) =>
      run((session) => runGet(session, [kind, ...names], flags)),
    );
  program
    .command("describe")
    .argument("<kind>")
    .argument("[names...]")
    .description("show objects for people, with conditions and events")
    .action((kind: string, names: string[]) =>
      run((session) => runDescribe(session, [kind, ...names])),
    );
  program
    .command("why")
    .argument("<kind>", "proposal or veto (proposal/NAME works too)")
    .argument("[name]")
    .description("explain a verdict or a veto in numbers")
    .option("-o, --output <format>", "text|json", "text")
    .action((kind: string, name: string | undefined, flags: { output: string }) =>
      run((session) => runWhy(session, name === undefined ? [kind] : [kind, name], flags)),
    );
}

function addWriting(program: Command, run: Runner): void {
  program
    .command("apply")
    .description("create or update objects from files")
    .requiredOption("-f, --filename <path>", "file, folder or -", collect, [])
    .option("--dry-run <mode>", "server: check without writing")
    .action((flags: { filename: readonly string[]; dryRun?: string }) =>
      run((session) => runApply(session, flags)),
    );
  program
    .command("delete")
    .argument("<kind>")
    .argument("[names...]")
    .description("delete objects; a proposal that is still open is withdrawn")
    .action((kind: string, names: string[]) =>
      run((session) => runDelete(session, [kind, ...names])),
    );
  program
    .command("propose")
    .argument("<config>")
    .description("propose a change of a Config's data")
    .option("--set <key=value>", "a key of the data, value as JSON", collect, [])
    .option("-f, --filename <path>", "the whole new data", collect, [])
    .option("--reason <text>", "why, for people", "proposed with kinglyctl")
    .option("--base-version <n>", "version the change was made against")
    .option("--idempotency-key <key>", "repeat safely")
    .option("--source <type>", "human|ci", "human")
    .option("--commit <sha>", "commit that the change comes from")
    .option("--url <url>", "where to read more")
    .option("--wait [condition]", "decided|committed|completed")
    .option("--timeout <duration>", "of --wait", "15m")
    .option("-o, --output <format>", "table|json|yaml|name", "table")
    .action((config: string, flags: ProposeFlags) =>
      run((session) => runPropose(session, config, flags)),
    );
  program
    .command("veto")
    .argument("<node>")
    .argument("<config>")
    .description("ask a node to reject the version that it runs")
    .requiredOption("--reason <text>", "why")
    .option("--version <n>", "version to reject; default: the one it runs")
    .action((node: string, config: string, flags: { reason: string; version?: string }) =>
      run((session) => runVeto(session, { node, config }, flags)),
    );
}

/** A subcommand about one Config; its flags and action follow. */
function aboutConfig(group: Command, name: string, description: string): Command {
  return group.command(name).description(description).argument("<config>");
}

function addGroups(program: Command, run: Runner): void {
  const rollout = program.command("rollout").description("staged application of a version");
  const decide =
    (subresource: RolloutWord["subresource"]) =>
    (config: string, { reason }: { reason: string }): Promise<void> =>
      run((session) => runRolloutWord(session, config, { subresource, reason }));
  aboutConfig(rollout, "status", "how far the newest version is")
    .option("-w, --watch", "go on until it ends", false)
    .option("--timeout <duration>", "of --watch", "15m")
    .action((config: string, flags: { watch: boolean; timeout: string }) =>
      run((session) => runRolloutStatus(session, config, flags)),
    );
  aboutConfig(rollout, "resume", "let a paused rollout go on")
    .option("--reason <text>", "why", "looked at and found good")
    .action(decide("resume"));
  aboutConfig(rollout, "undo", "take the newest version back, also after its rollout has completed")
    .requiredOption("--reason <text>", "why")
    .action(decide("rollback"));
  program
    .command("cluster")
    .description("the servers themselves")
    .command("status")
    .option("-o, --output <format>", "table|json", "table")
    .action((flags: { output: string }) => run((session) => runClusterStatus(session, flags)));
}

function addQuarantine(program: Command, run: Runner): void {
  const quarantine = program
    .command("quarantine")
    .description("changes that lost: refused for 30 days where they lost");
  quarantine
    .command("list")
    .description("which changes are refused, since when and why")
    .argument("[config]", "of one Config; default: of the namespace")
    .option("-o, --output <format>", "table|json", "table")
    .action((config: string | undefined, flags: QuarantineListFlags) =>
      run((session) => runQuarantineList(session, config ?? "", flags)),
    );
  aboutConfig(quarantine, "release", "let a change that lost be proposed again")
    .option("--proposal <name>", "the proposal that lost; the refusal names it")
    .option("--all", "everything of this Config")
    .requiredOption("--reason <text>", "why it may be tried again")
    .action((config: string, flags: ReleaseFlags) =>
      run((session) => runQuarantineRelease(session, config, flags)),
    );
}

function addTokens(program: Command, run: Runner): void {
  program
    .command("token")
    .description("join tokens for new nodes")
    .command("create")
    .description("make a token that enrols one node; it is shown once")
    .option("--class <name>", "nodes of one class are expected to respond alike", "default")
    .option("--owner-group <name>", "who owns the node", "default")
    .option("--pool <name>", "which namespaces may configure it", "default")
    .option("--interference-group <name>", "nodes that share hardware switch as one", "")
    .option("--label <key=value>", "label of the node", collect, [])
    .option("--ttl <duration>", "how long the token is valid", "1h")
    .option("--node <name>", "only for a node of this name")
    .action((flags: TokenFlags) => run((session) => runTokenCreate(session, flags)));
}

function report(io: Io, error: unknown): number {
  if (error instanceof CommanderError) {
    return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  }
  const known = toKinglyError(error);
  const exitCode = exitCodeOf(known);
  // A refusal with exit code 0 says that all is as it was wished: nothing failed.
  const prefix = exitCode === EXIT.ok ? "" : "error: ";
  io.stderr.write(`${prefix}${known.message} (${known.code})\n`);
  for (const cause of known.details.causes ?? []) {
    io.stderr.write(`  ${cause.field}: ${cause.message}\n`);
  }
  if (known.details.help !== undefined) io.stderr.write(`  ${known.details.help}\n`);
  return exitCode;
}

/** Runs one command line (without node and script name); returns the exit code. */
export async function runCli(argv: readonly string[], io: Io): Promise<number> {
  // Not an option of commander: there it would shadow the --version of a command.
  if (argv.length === 1 && argv[0] === "--version") {
    io.stdout.write(`${VERSION}\n`);
    return EXIT.ok;
  }
  let exitCode: number = EXIT.ok;
  const program = new Command("kinglyctl")
    .description("configuration that the fleet tries, measures and votes on")
    .usage("[options] COMMAND\n       kinglyctl --version")
    .option("--kubeconfig <file>", "file of contexts")
    .option("--context <name>", "context in that file")
    .option("-n, --namespace <name>", "namespace")
    .showSuggestionAfterError(true)
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .exitOverride();
  const run: Runner = async (action) => {
    exitCode = await withSession(io, program.opts<GlobalFlags>(), action);
  };
  addReading(program, run);
  addWriting(program, run);
  addGroups(program, run);
  addQuarantine(program, run);
  addTokens(program, run);
  for (const command of program.commands) {
    command.exitOverride();
    for (const child of command.commands) child.exitOverride();
  }
  try {
    await program.parseAsync(argv, { from: "user" });
    return exitCode;
  } catch (error) {
    return report(io, error);
  }
}

import { type CliContext, type CommandInput, defineCommand } from "../descriptor.ts";
import { textOption } from "./option-value.ts";

function wordsOf(input: CommandInput, name: string): readonly string[] {
	return textOption(input.options, name)?.split("\0") ?? [];
}

/** A TOML value as JSON can write most of them; the rest is asked of the TOML parser. */
async function valueParser(words: readonly string[]): Promise<(text: string) => unknown> {
	if (words.length === 0) return () => undefined;
	const { parseTomlValue } = await import("#daemon/agent/provider/toml.ts");
	return parseTomlValue;
}

async function run(context: CliContext, input: CommandInput): Promise<number> {
	const [{ runAppServer }, { parseListenAddress }, { parseOverrides }] = await Promise.all([
		import("#daemon/codex/entry/run-app-server.ts"),
		import("#daemon/codex/entry/listen-address.ts"),
		import("#daemon/codex/entry/override.ts"),
	]);
	const config = wordsOf(input, "config");
	const words = { config, enable: wordsOf(input, "enable"), disable: wordsOf(input, "disable") };
	const listen = input.options["stdio"] === true ? undefined : textOption(input.options, "listen");
	return runAppServer({
		paths: context.paths,
		env: context.env,
		stdin: context.stdin,
		stdout: context.stdout,
		say: context.say,
		signal: context.signal,
		address: parseListenAddress(listen ?? "stdio://"),
		tokenFile: textOption(input.options, "wsTokenFile"),
		overrides: parseOverrides(words, await valueParser(config)),
	});
}

export const appServerCommand = defineCommand({
	program: "weave-codex",
	name: "app-server",
	summary: "Speak the Codex app-server protocol, in place of `codex app-server`.",
	description:
		"Joins the daemon of this home, so that what one client starts another can watch; where none runs, this process is the daemon until its input ends. Options that only concern the other program are accepted.",
	options: [
		{
			flags: "--listen <url>",
			summary: "stdio:// (default), unix://, unix://PATH, ws://IP:PORT or off",
		},
		{ flags: "--stdio", summary: "the same as --listen stdio://" },
		{
			flags: "-c, --config <key=value>",
			summary: "override a value of config.toml for this client's threads (again for more)",
			repeats: true,
		},
		{ flags: "--enable <feature>", summary: "the same as -c features.<feature>=true", repeats: true },
		{ flags: "--disable <feature>", summary: "the same as -c features.<feature>=false", repeats: true },
		{
			flags: "--ws-token-file <path>",
			summary: "bearer token of ws:// clients, in place of the daemon's own",
			complete: "file",
		},
		{ flags: "--ws-auth <mode>", summary: "only capability-token", choices: ["capability-token"] },
		{ flags: "--session-source <name>", summary: "accepted and ignored" },
		{ flags: "--analytics-default-enabled", summary: "accepted; nothing is ever sent" },
		{ flags: "--strict-config", summary: "accepted and ignored" },
	],
	examples: [
		{ command: "weave-codex app-server", says: "JSON lines on stdio, for an editor" },
		{ command: "weave-codex app-server --listen ws://127.0.0.1:4500", says: "for codex --remote" },
		{ command: "weave-codex app-server -c model=gpt-5.5", says: "with another model for its threads" },
	],
	run,
});

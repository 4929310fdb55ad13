import { homedir } from "node:os";
import { join } from "node:path";

type Env = Readonly<Record<string, string | undefined>>;

/** A service definition of this user, ready to be written. */
export interface ServiceUnit {
	readonly path: string;
	readonly text: string;
	/** Commands that make the system take it up, in order, and those that end it. */
	readonly install: readonly (readonly string[])[];
	readonly uninstall: readonly (readonly string[])[];
}

export interface ServiceOptions {
	platform: NodeJS.Platform;
	env: Env;
	/** The pinned Node and the daemon's bundle: a service must not depend on a shell's PATH. */
	node: string;
	daemon: string;
	uid: number;
}

const SYSTEMD_NAME = "weave-codex.service";
const LAUNCHD_LABEL = "dev.weave-codex.daemon";
/** What a shell's own session says about where things are; a service does not inherit it. */
const KEPT_VARIABLES = ["HOMIE_HOME", "WEAVE_HOME", "HOMIE_CODEX_DIR", "CODEX_HOME"] as const;

function keptVariables(env: Env): [string, string][] {
	return KEPT_VARIABLES.flatMap((name): [string, string][] => {
		const value = env[name];
		return value === undefined || value.trim() === "" ? [] : [[name, value]];
	});
}

/** systemd.syntax(7): C-style quoting; `%` starts a specifier and, in ExecStart, `$` a variable. */
function quoteSystemd(text: string): string {
	return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("%", "%%")}"`;
}

function systemdUnit({ env, node, daemon }: ServiceOptions): ServiceUnit {
	const folder = join(env["XDG_CONFIG_HOME"] ?? join(env["HOME"] ?? homedir(), ".config"), "systemd", "user");
	const program = [node, daemon].map((part) => quoteSystemd(part).replaceAll("$", "$$$$")).join(" ");
	const lines = [
		"[Unit]",
		"Description=weave-codex daemon",
		"",
		"[Service]",
		`ExecStart=${program}`,
		...keptVariables(env).map(([name, value]) => `Environment=${quoteSystemd(`${name}=${value}`)}`),
		"# Only the daemon itself is stopped: the pty-host keeps the shells.",
		"KillMode=process",
		"Restart=on-failure",
		"RestartSec=1",
		"# The daemon's own deadline is 10 s.",
		"TimeoutStopSec=15",
		"",
		"[Install]",
		"WantedBy=default.target",
	];
	return {
		path: join(folder, SYSTEMD_NAME),
		text: `${lines.join("\n")}\n`,
		install: [
			["systemctl", "--user", "daemon-reload"],
			["systemctl", "--user", "enable", "--now", SYSTEMD_NAME],
		],
		uninstall: [["systemctl", "--user", "disable", "--now", SYSTEMD_NAME]],
	};
}

function escapeXml(text: string): string {
	return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function launchdUnit({ env, node, daemon, uid }: ServiceOptions): ServiceUnit {
	const path = join(env["HOME"] ?? homedir(), "Library", "LaunchAgents", `${LAUNCHD_LABEL}.plist`);
	const variables = keptVariables(env).map(
		([name, value]) => `\t\t<key>${name}</key><string>${escapeXml(value)}</string>`,
	);
	const text = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
	<key>Label</key><string>${LAUNCHD_LABEL}</string>
	<key>ProgramArguments</key>
	<array>
		<string>${escapeXml(node)}</string>
		<string>${escapeXml(daemon)}</string>
	</array>
	<key>EnvironmentVariables</key>
	<dict>
${variables.join("\n")}
	</dict>
	<key>RunAtLoad</key><true/>
	<key>KeepAlive</key>
	<dict><key>SuccessfulExit</key><false/></dict>
	<!-- The pty-host keeps the shells when the daemon stops. -->
	<key>AbandonProcessGroup</key><true/>
</dict>
</plist>
`;
	const domain = `gui/${uid}`;
	return {
		path,
		text,
		install: [["launchctl", "bootstrap", domain, path]],
		uninstall: [["launchctl", "bootout", `${domain}/${LAUNCHD_LABEL}`]],
	};
}

/** The service of this platform; undefined where there is neither systemd nor launchd. */
export function serviceUnit(options: ServiceOptions): ServiceUnit | undefined {
	if (options.platform === "darwin") return launchdUnit(options);
	return options.platform === "linux" ? systemdUnit(options) : undefined;
}

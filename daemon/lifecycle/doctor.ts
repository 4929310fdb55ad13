import { existsSync, readFileSync, statfsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { AppError, toAppError } from "#base/app-error.ts";
import { rpcOnce } from "#client/node/rpc-once.ts";
import { defaultBackend } from "#daemon/agent/cli-runner/cli-backend.ts";
import { findCodexBinary } from "#daemon/agent/cli-runner/codex-binary.ts";
import { createCodexHome } from "#daemon/agent/provider/codex/home.ts";
import { detectBubblewrap } from "#daemon/agent/sandbox/bubblewrap.ts";
import { inspectDatabase } from "#daemon/storage/inspect.ts";
import { inspectAudit } from "#daemon/storage/repository/audit-inspect.ts";
import { readDiscovery } from "#platform/discovery.ts";
import { isSameProcess, parseProcessIdentity } from "#platform/identity.ts";
import type { Paths } from "#platform/paths.ts";
import { VERSION } from "#protocol/limits.ts";
import type { DaemonStatus } from "#protocol/record.ts";
import { createFlags } from "./flags.ts";
import { findSocketHolder, probeSocket } from "./socket-claim.ts";

export { sweepDeadDaemon, sweepDeadHost } from "./sweep.ts";

/** One line of `doctor`; `remedy` is what to type or do, when something is to be done. */
export interface Check {
	name: string;
	state: "ok" | "warn" | "fail";
	detail: string;
	remedy: string | null;
}

export interface DoctorOptions {
	paths: Paths;
	env: Readonly<Record<string, string | undefined>>;
}

type Finding = Omit<Check, "name">;

/** A day of heavy use writes less than the first; below the second the next commit may fail. */
const DISK_WARN_BYTES = 512 * 1024 * 1024;
const DISK_FAIL_BYTES = 32 * 1024 * 1024;
const NODE_MAJOR_MIN = 24;

const ok = (detail: string): Finding => ({ state: "ok", detail, remedy: null });
const warn = (detail: string, remedy: string | null): Finding => ({ state: "warn", detail, remedy });
const fail = (detail: string, remedy: string): Finding => ({ state: "fail", detail, remedy });

function checkNode(): Finding {
	const text = `${process.version} at ${process.execPath}`;
	const major = Number(process.versions.node.split(".")[0]);
	return major >= NODE_MAJOR_MIN
		? ok(text)
		: fail(text, `Node ${NODE_MAJOR_MIN} or newer is needed: \`npm ci\` in the checkout installs it.`);
}

function checkHome({ paths }: DoctorOptions): Finding {
	const stat = statSync(paths.home, { throwIfNoEntry: false });
	if (!stat) return warn(`${paths.home} does not exist yet`, "`weave-codex start` makes it.");
	if (!stat.isDirectory())
		return fail(`${paths.home} is no folder`, "Move it away, or set HOMIE_HOME to another folder.");
	if (stat.uid !== process.getuid?.())
		return fail(`${paths.home} belongs to uid ${stat.uid}`, `\`sudo chown -R $(id -un) ${paths.home}\``);
	return ok(paths.home);
}

function checkPermissions({ paths }: DoctorOptions): Finding {
	const wanted: [string, number][] = [
		[paths.home, 0o700],
		[paths.weaveHome, 0o700],
		[paths.logs, 0o700],
		[paths.token, 0o600],
		[paths.database, 0o600],
	];
	const open = wanted.filter(([path, mode]) => {
		const stat = statSync(path, { throwIfNoEntry: false });
		return stat !== undefined && (stat.mode & 0o777 & ~mode) !== 0;
	});
	if (open.length === 0) return ok("folders 0700, secrets 0600");
	const commands = open.map(([path, mode]) => `chmod ${mode.toString(8)} ${path}`).join(" && ");
	return fail(`other users can reach ${open.map(([path]) => path).join(", ")}`, `\`${commands}\``);
}

function checkDisk({ paths }: DoctorOptions): Finding {
	let folder = paths.home;
	while (!existsSync(folder)) folder = dirname(folder);
	const { bavail, bsize } = statfsSync(folder);
	const freeBytes = bavail * bsize;
	const text = `${(freeBytes / 1024 ** 3).toFixed(1)} GiB free at ${folder}`;
	if (freeBytes < DISK_FAIL_BYTES) return fail(text, "Free some space; nothing can be stored.");
	return freeBytes < DISK_WARN_BYTES ? warn(text, "Free some space soon.") : ok(text);
}

function checkDaemon({ paths }: DoctorOptions, status: DaemonStatus | AppError): Finding {
	if (!(status instanceof AppError)) {
		const text = `pid ${status.pid}, version ${status.version}, ${status.listeners.map((one) => one.address).join(", ")}`;
		return status.version === VERSION
			? ok(text)
			: fail(`${text}; this is ${VERSION}`, "`weave-codex restart`");
	}
	const record = readDiscovery(paths);
	if (record && isSameProcess(record))
		return fail(
			`pid ${record.pid} runs but does not answer: ${status.message}`,
			"`weave-codex restart --force`",
		);
	if (record)
		return warn(
			`the last one (pid ${record.pid}) died without stopping`,
			"`weave-codex start`; what it acknowledged is safe.",
		);
	return status.code === "DAEMON_UNAVAILABLE"
		? warn("not running", "`weave-codex start`")
		: fail(status.message, status.remedy);
}

function checkLock({ paths }: DoctorOptions, running: boolean): Finding {
	const present = existsSync(paths.lock);
	if (running)
		return present
			? ok(`${paths.lock} is held by the daemon`)
			: fail(`${paths.lock} is gone under a running daemon`, "`weave-codex restart`");
	return present
		? warn(
				`${paths.lock} was left by a crash; the kernel has freed it`,
				"Nothing: the next start takes it over.",
			)
		: ok("free");
}

async function checkSockets({ paths }: DoctorOptions, running: boolean): Promise<Finding> {
	const states: string[] = [];
	for (const path of [paths.daemonSocket, paths.coordSocket]) {
		const state = await probeSocket(path);
		states.push(`${path} ${state}`);
		if (state === "live" && !running) {
			const holder = findSocketHolder(path);
			return fail(
				`${path} is held by ${holder ? `pid ${holder.pid} (${holder.command})` : "another process"}`,
				holder ? `\`kill ${holder.pid}\`, or use another home.` : "Stop that process.",
			);
		}
		if (state !== "live" && running)
			return fail(`${path} is ${state} though the daemon runs`, "`weave-codex restart`");
	}
	return states.some((state) => state.endsWith("stale"))
		? warn(states.join(", "), "Nothing: the next start removes them.")
		: ok(states.join(", "));
}

function checkDatabase({ paths }: DoctorOptions, status: DaemonStatus | AppError): Finding {
	const { state, schemaVersion, sizeBytes, setAside } = inspectDatabase(paths.database);
	if (state === "absent") return ok("none yet");
	if (state === "damaged")
		return fail(
			`${paths.database} is damaged`,
			"`weave-codex restart` sets it aside and goes on with a fresh one.",
		);
	const detail = `${paths.database}: sound, schema ${schemaVersion}, ${Math.ceil(sizeBytes / 1024)} KiB`;
	if (!(status instanceof AppError) && status.store.state === "failed")
		return fail(status.store.detail ?? "the store failed", "`weave-codex restart`");
	const newest = setAside.at(-1);
	if (newest === undefined) return ok(detail);
	return warn(
		`${detail}; a damaged one was set aside as ${newest}`,
		`\`sqlite3 ${newest} .recover | sqlite3 recovered.db\` gets at it; delete it when done.`,
	);
}

function checkAudit({ paths }: DoctorOptions): Finding {
	const found = inspectAudit(paths.database);
	if (found === undefined) return ok("none yet");
	if (found.brokenAt === null) return ok(`${found.rows} rows, the chain holds`);
	return fail(
		`row ${found.brokenAt} of the audit log was changed or is missing`,
		`Rows before it are as they were written; compare those from it on with a backup in ${join(paths.home, "backups")}.`,
	);
}

async function checkSandbox({ env }: DoctorOptions): Promise<Finding> {
	const found = await detectBubblewrap(env);
	if (typeof found !== "string") return ok(`bubblewrap at ${found.program}`);
	return warn(found, "`apt-get install bubblewrap`; until then every command asks.");
}

function checkHost({ paths }: DoctorOptions): Finding {
	const path = join(paths.home, "pty-host.json");
	if (!existsSync(path)) return ok("not running; the first terminal starts it");
	const identity = parseProcessIdentity(JSON.parse(readFileSync(path, "utf8")));
	if (!identity) return fail(`${path} makes no sense`, `\`rm ${path}\``);
	return isSameProcess(identity)
		? ok(`pid ${identity.pid}`)
		: warn(
				`pid ${identity.pid} has ended, its terminals with it`,
				"Nothing: the next terminal starts a new one.",
			);
}

function checkProvider({ paths }: DoctorOptions, status: DaemonStatus | AppError): Finding {
	if (!(status instanceof AppError)) {
		const text = [status.provider.name, status.provider.model, status.provider.detail]
			.filter(Boolean)
			.join(", ");
		return status.provider.name === "offline"
			? warn(text, "`codex login`, or configure a provider in Codex's config.toml.")
			: ok(text);
	}
	const { config, login } = createCodexHome(paths.codexHome).read();
	if (config.model_provider != null)
		return ok(`provider ${config.model_provider} of ${paths.codexHome}/config.toml`);
	if (login.kind === "none")
		return warn(
			`no login in ${paths.codexHome}; the offline agent answers`,
			"`codex login`, or configure a provider in Codex's config.toml.",
		);
	return ok(`login by ${login.kind === "api_key" ? "API key" : "ChatGPT account"} in ${paths.codexHome}`);
}

/** The program is needed only where it runs turns. */
async function checkCodex({ env, paths }: DoctorOptions): Promise<Finding> {
	const isWanted = defaultBackend(env) === "cli";
	const how = isWanted ? "it runs the turns" : "for threads with the backend cli";
	try {
		const { path, version } = await findCodexBinary({ env, codexHome: paths.codexHome });
		return ok(`codex ${version} at ${path}, ${how}`);
	} catch (thrown) {
		const { message } = toAppError(thrown);
		if (!isWanted) return ok(`not usable, and not needed: weave-codex runs the turns itself. ${message}`);
		return fail(message, "`npm install -g @openai/codex`, or unset HOMIE_AGENT_BACKEND.");
	}
}

function checkFlags({ env }: DoctorOptions): Finding {
	return ok(
		createFlags(env)
			.list()
			.map((flag) => `${flag.name} (${flag.stage}) ${flag.enabled ? "on" : "off"}`)
			.join(", "),
	);
}

/** A check that itself fails is a finding too: doctor always prints all of its lines. */
async function guard(name: string, check: () => Finding | Promise<Finding>): Promise<Check> {
	try {
		return { name, ...(await check()) };
	} catch (thrown) {
		const error = toAppError(thrown);
		const cause = error.cause instanceof Error ? `${error.message} ${error.cause.message}` : error.message;
		return { name, ...fail(cause, error.remedy) };
	}
}

/** Looks at everything a start depends on, with or without a daemon; changes nothing. */
export async function runDoctor(options: DoctorOptions): Promise<Check[]> {
	let status: DaemonStatus | AppError;
	try {
		status = (await rpcOnce(options.paths, "daemon.status", {}, { timeoutMs: 5_000 })) as DaemonStatus;
	} catch (thrown) {
		status = toAppError(thrown);
	}
	const running = !(status instanceof AppError);
	return Promise.all([
		guard("node", checkNode),
		guard("home", () => checkHome(options)),
		guard("permissions", () => checkPermissions(options)),
		guard("disk", () => checkDisk(options)),
		guard("daemon", () => checkDaemon(options, status)),
		guard("lock", () => checkLock(options, running)),
		guard("sockets", () => checkSockets(options, running)),
		guard("database", () => checkDatabase(options, status)),
		guard("audit", () => checkAudit(options)),
		guard("sandbox", () => checkSandbox(options)),
		guard("pty-host", () => checkHost(options)),
		guard("provider", () => checkProvider(options, status)),
		guard("codex", () => checkCodex(options)),
		guard("flags", () => checkFlags(options)),
	]);
}

import {
	existsSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	realpathSync,
	renameSync,
	rmSync,
	writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:net";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "#base/clock.ts";
import type { ExecRequest } from "#daemon/agent/environment.ts";
import { createLocalEnvironment, type LocalEnvironment } from "#daemon/agent/local-environment.ts";
import { isSameProcess } from "#platform/identity.ts";
import { resolvePaths } from "#platform/paths.ts";

/** Perl is on every Debian and outside of /tmp, which commands do not see; the pinned Node may be anywhere. */
const CONNECT =
	'use Socket; socket(my $s, AF_UNIX, SOCK_STREAM, 0) or die; print connect($s, sockaddr_un($ARGV[0])) ? "CONNECTED\\n" : "refused $!\\n";';

/** Two places for the same tests: under /tmp, which the sandbox replaces, and outside it. */
const ROOTS = [tmpdir(), homedir()].map((base) => realpathSync(mkdtempSync(join(base, "weave-sandbox-"))));
const probe = await createLocalEnvironment(options(ROOTS[0] ?? "/nowhere"));
const { available, detail } = probe.sandbox;
await probe[Symbol.asyncDispose]();
if (!available) {
	console.warn(`sandbox tests skipped: ${detail}`);
	for (const root of ROOTS) rmSync(root, { recursive: true, force: true });
}

function options(root: string): Parameters<typeof createLocalEnvironment>[0] {
	const env = {
		PATH: process.env["PATH"],
		HOME: join(root, "user"),
		HOMIE_HOME: join(root, "homie"),
		WEAVE_HOME: join(root, "weave"),
		CODEX_HOME: join(root, "codex"),
	};
	return { machineId: "local", paths: resolvePaths(env), env, clock: systemClock };
}

describe.skipIf(!available).each(ROOTS)("sandbox at %s", (root) => {
	const work = join(root, "work");
	let environment: LocalEnvironment;
	const servers: Server[] = [];

	async function listen(target: string | number): Promise<Server> {
		const server = createServer((socket) => socket.end());
		await new Promise<void>((resolve) => {
			if (typeof target === "string") server.listen(target, resolve);
			else server.listen(target, "127.0.0.1", resolve);
		});
		servers.push(server);
		return server;
	}

	beforeAll(async () => {
		for (const folder of ["homie", "weave", "codex/skills", "user/.ssh", "user/.aws", "work/.git/hooks"])
			mkdirSync(join(root, folder), { recursive: true });
		writeFileSync(join(root, "homie/token"), "SECRET");
		writeFileSync(join(root, "codex/auth.json"), "SECRET");
		writeFileSync(join(root, "codex/skills/one.md"), "skill\n");
		writeFileSync(join(root, "user/.ssh/id_rsa"), "SECRET");
		writeFileSync(join(root, "user/.netrc"), "SECRET");
		writeFileSync(join(root, "user/.bashrc"), "plain\n");
		environment = await createLocalEnvironment(options(root));
		for (const name of ["homie/daemon.sock", "homie/codex.sock", "homie/pty.sock", "weave/coord.sock"])
			await listen(join(root, name));
	});
	afterAll(async () => {
		await environment[Symbol.asyncDispose]();
		for (const server of servers) await new Promise((resolve) => server.close(resolve));
		rmSync(root, { recursive: true, force: true });
	});

	async function sh(
		script: string,
		changes: Partial<ExecRequest> = {},
	): Promise<{ code: number; output: string; error: string | null }> {
		const running = environment.exec({
			argv: ["/bin/bash", "-c", script],
			cwd: work,
			env: { PATH: process.env["PATH"] ?? "", HOME: join(root, "user") },
			sandbox: "workspace-write",
			networkAccess: false,
			writableRoots: [],
			...changes,
		});
		const result = await running.done;
		return { code: result.exitCode, output: result.output, error: result.startError };
	}

	test("sandbox: writes land in the workspace and nowhere else when workspace-write", async () => {
		const result = await sh(
			`echo in > inside.txt; echo out > ${root}/outside.txt; echo x > /etc/weave-x; ls`,
		);
		expect(readFileSync(join(work, "inside.txt"), "utf8")).toBe("in\n");
		expect(existsSync(join(root, "outside.txt")) || existsSync("/etc/weave-x")).toBe(false);
		expect(result.output).toContain("inside.txt");
		expect(result.output).toMatch(/Read-only file system|No such file/);
	});

	test("sandbox: nothing can be written when read-only", async () => {
		const result = await sh("touch made.txt; touch /tmp/made.txt; ls", { sandbox: "read-only" });
		expect(existsSync(join(work, "made.txt"))).toBe(false);
		expect(result.output.match(/Read-only file system/g)).toHaveLength(2);
	});

	test("sandbox: /tmp is a private one that commands may write", async () => {
		const result = await sh("echo x > /tmp/weave-private && cat /tmp/weave-private");
		expect(result).toMatchObject({ code: 0, output: "x\n" });
		expect(existsSync("/tmp/weave-private")).toBe(false);
	});

	test("sandbox: commands of one scope find each other's files in /tmp, and no other scope does", async () => {
		const made = await sh("echo kept > /tmp/weave-kept", { scope: "thread-1" });
		expect(made).toMatchObject({ code: 0 });
		const found = await sh("cat /tmp/weave-kept", { scope: "thread-1" });
		expect(found.output).toBe("kept\n");
		const other = await sh("cat /tmp/weave-kept", { scope: "thread-2" });
		expect(other.output).toMatch(/No such file/);
		const reading = await sh("cat /tmp/weave-kept; touch /tmp/more", {
			scope: "thread-1",
			sandbox: "read-only",
		});
		expect(reading.output).toMatch(/^kept\n.*Read-only file system/s);
		const outside = await sh("cat /tmp/weave-kept", { scope: "../../thread-1" });
		expect(outside.output).toMatch(/No such file/);
		expect(existsSync("/tmp/weave-kept")).toBe(false);
	});

	test("sandbox: /tmp is read-only when the policy excludes it", async () => {
		const result = await sh("echo x > /tmp/weave-excluded", { excludeSlashTmp: true });
		expect(result.output).toMatch(/Read-only file system/);
	});

	test("sandbox: git's own state stays as it is", async () => {
		await sh("echo evil > .git/hooks/pre-commit; mv .git gone; rm -rf .git");
		expect(existsSync(join(work, ".git/hooks"))).toBe(true);
		expect(existsSync(join(work, ".git/hooks/pre-commit"))).toBe(false);
	});

	test("sandbox: the state of a repository inside the workspace stays as it is", async () => {
		mkdirSync(join(work, "deep/inner/.git/hooks"), { recursive: true });
		const result = await sh("echo evil > deep/inner/.git/hooks/pre-commit; echo fine > deep/inner/file");
		expect(result.output).toMatch(/Read-only file system/);
		expect(existsSync(join(work, "deep/inner/.git/hooks/pre-commit"))).toBe(false);
		expect(readFileSync(join(work, "deep/inner/file"), "utf8")).toBe("fine\n");
	});

	test("sandbox: a command has a terminal of its own, and input reaches it, when it asks for one", async () => {
		const running = environment.exec({
			argv: ["/bin/bash", "-c", "tty; stty size; read x; echo got $x"],
			cwd: work,
			env: { PATH: process.env["PATH"] ?? "", HOME: join(root, "user") },
			sandbox: "read-only",
			networkAccess: false,
			writableRoots: [],
			tty: true,
		});
		running.write?.("foo\n");
		const result = await running.done;
		expect(result.output).toMatch(/\/dev\/pts\/0\r\n/);
		expect(result.output).toMatch(/24 80\r\n/);
		expect(result.output).toMatch(/got foo\r\n$/);
		expect(result.exitCode).toBe(0);
	});

	test.each(["read-only", "workspace-write"] as const)(
		"sandbox: secrets cannot be read when %s",
		async (sandbox) => {
			for (const cwd of [work, root]) {
				const script = `cat ${root}/homie/token ${root}/codex/auth.json ${root}/user/.ssh/id_rsa ${root}/user/.netrc; grep -rs SECRET ${root}; ls -A ${root}/homie`;
				const result = await sh(script, { sandbox, cwd });
				expect(result.output).not.toContain("SECRET");
				expect(result.output).not.toContain("daemon.sock");
			}
		},
	);

	test("sandbox: a secret that is replaced meanwhile stays hidden", async () => {
		const running = environment.exec({
			argv: [
				"/bin/bash",
				"-c",
				`echo ready; until [ -e go ]; do :; done; cat ${root}/codex/auth.json ${root}/homie/token`,
			],
			cwd: work,
			env: { PATH: process.env["PATH"] ?? "" },
			sandbox: "workspace-write",
			networkAccess: false,
			writableRoots: [],
		});
		await new Promise<void>((resolve) => void running.onOutput(() => resolve()));
		for (const name of ["codex/auth.json", "homie/token"]) {
			writeFileSync(join(root, `${name}.new`), "SECRET");
			renameSync(join(root, `${name}.new`), join(root, name));
		}
		writeFileSync(join(work, "go"), "");
		expect((await running.done).output).not.toContain("SECRET");
	});

	test("sandbox: the folder around a secret cannot be moved away, to be read by the next command", async () => {
		const result = await sh("mv user elsewhere; mv homie h; mv codex c; mv weave w", { cwd: root });
		expect(result.output.match(/busy/g)).toHaveLength(4);
		expect((await sh(`cat ${root}/*/.ssh/id_rsa ${root}/*/token`, { cwd: root })).output).not.toContain(
			"SECRET",
		);
	});

	test("sandbox: the whole disk as workspace still hides what is protected", async () => {
		const script = `cat ${root}/homie/token ${root}/user/.ssh/id_rsa; mv ${root}/user ${root}/gone; ls -A /run; echo end`;
		const result = await sh(script, { cwd: "/" });
		expect(result.output).not.toContain("SECRET");
		expect(result.output).toMatch(/end\n$/);
		expect(existsSync(join(root, "user/.ssh"))).toBe(true);
	});

	test("sandbox: what is meant to be read of Codex's home can be read", async () => {
		expect(await sh(`cat ${root}/codex/skills/one.md ${root}/user/.bashrc`, { cwd: root })).toMatchObject({
			output: "skill\nplain\n",
		});
	});

	test.each(["read-only", "workspace-write"] as const)(
		"sandbox: none of our sockets can be reached when %s",
		async (sandbox) => {
			for (const cwd of [work, root]) {
				for (const name of ["homie/daemon.sock", "homie/codex.sock", "homie/pty.sock", "weave/coord.sock"]) {
					const running = environment.exec({
						argv: ["/usr/bin/perl", "-e", CONNECT, join(root, name)],
						cwd,
						env: {},
						sandbox,
						networkAccess: true,
						writableRoots: [],
					});
					expect((await running.done).output).toMatch(/^refused /);
				}
			}
		},
	);

	test.each(["read-only", "workspace-write"] as const)(
		"sandbox: sockets of other programs outside the workspace cannot be reached when %s",
		async (sandbox) => {
			const places = [join(root, "editor.sock"), join(work, "own.sock")];
			for (const place of places) if (!existsSync(place)) await listen(place);
			const request = { env: {}, networkAccess: true, writableRoots: [], sandbox };
			const attempt = async (place: string, cwd: string): Promise<string> =>
				(await environment.exec({ ...request, cwd, argv: ["/usr/bin/perl", "-e", CONNECT, place] }).done)
					.output;
			expect(await attempt(join(root, "editor.sock"), work)).toMatch(/^refused /);
			expect(await attempt(join(root, "editor.sock"), "/")).toMatch(/^refused /);
			expect(await attempt(join(work, "own.sock"), work)).toBe("CONNECTED\n");
		},
	);

	test("sandbox: the kernel's settings cannot be written, not even by root", async () => {
		// Asks without writing: the answer would be the machine's.
		const script =
			"for f in $(find /proc/sys/kernel /proc/sys/vm -type f); do [ -w $f ] && echo $f; done; echo end";
		for (const sandbox of ["read-only", "workspace-write"] as const)
			expect((await sh(script, { sandbox })).output).toBe("end\n");
	});

	test("sandbox: the person's home is no place to write, a folder in it may be", async () => {
		const plant = `echo x > ${root}/user/.bash_profile; mkdir ${root}/user/.config; echo x >> ${root}/user/.bashrc`;
		for (const cwd of [join(root, "user"), root, "/"]) {
			await sh(plant, { cwd });
			expect(existsSync(join(root, "user/.bash_profile")) || existsSync(join(root, "user/.config"))).toBe(
				false,
			);
			expect(readFileSync(join(root, "user/.bashrc"), "utf8")).toBe("plain\n");
		}
		const project = join(root, "user/project");
		mkdirSync(project, { recursive: true });
		await sh("echo in > made; echo out > ../out", { cwd: project });
		expect(readFileSync(join(project, "made"), "utf8")).toBe("in\n");
		expect(existsSync(join(root, "user/out"))).toBe(false);
	});

	test("sandbox: no repository can be made where none is, and nothing is left of the guard", async () => {
		const bare = join(root, "bare");
		mkdirSync(bare, { recursive: true });
		const plant =
			"mkdir -p .git/hooks; echo x > .git/config; mv .git gone; rm -rf .git; ls -A .git; echo end";
		const both = await Promise.all([sh(plant, { cwd: bare }), sh(plant, { cwd: bare })]);
		for (const { output } of both) expect(output).toMatch(/end\n$/);
		expect(readdirSync(bare)).toEqual([]);
		await sh(plant, { cwd: bare, sandbox: "read-only" });
		expect(readdirSync(bare)).toEqual([]);
	});

	test("sandbox: full access is no wall, which proves the attempts above", async () => {
		const argv = ["/usr/bin/perl", "-e", CONNECT, join(root, "homie/daemon.sock")];
		const request = { cwd: work, env: {}, networkAccess: false, writableRoots: [] };
		expect((await environment.exec({ ...request, argv, sandbox: "danger-full-access" }).done).output).toBe(
			"CONNECTED\n",
		);
	});

	test("sandbox: a command does not start inside a protected folder", async () => {
		const result = await sh("cat token", { cwd: join(root, "homie") });
		expect(result.error).toMatch(/is protected/);
		expect(result.output).toBe("");
	});

	test("sandbox: a protected folder is no writable root", async () => {
		const result = await sh(`cat ${root}/homie/token; echo x > ${root}/homie/x`, {
			writableRoots: [join(root, "homie")],
		});
		expect(result.output).not.toContain("SECRET");
		expect(existsSync(join(root, "homie/x"))).toBe(false);
	});

	test("sandbox: the network is only there when it is allowed", async () => {
		const server = await listen(0);
		const address = server.address();
		const port = typeof address === "object" && address !== null ? address.port : 0;
		const script = `exec 3<>/dev/tcp/127.0.0.1/${port} && echo reached`;
		expect((await sh(script)).output).not.toContain("reached");
		expect((await sh(script, { networkAccess: true })).output).toContain("reached");
	});

	test("sandbox: other processes, rights and namespaces are out of reach", async () => {
		const result = await sh(
			"ls /proc | grep -c '^[0-9]'; grep CapEff /proc/self/status; kill -0 1 2>&1; umount /tmp; unshare -Urm true; mount -t tmpfs x /tmp; echo end",
		);
		expect(Number(result.output.split("\n")[0])).toBeLessThan(10);
		expect(result.output).toContain("CapEff:\t0000000000000000");
		expect(result.output).toMatch(/end\n$/);
		expect((await sh(`umount ${root}/homie; cat ${root}/homie/token`, { cwd: root })).output).not.toContain(
			"SECRET",
		);
		expect(
			(await sh(`unshare -Urm sh -c 'umount ${root}/homie; cat ${root}/homie/token'`, { cwd: root })).output,
		).not.toContain("SECRET");
	});

	test("sandbox: the folder of the command is not opened when the workspace is another", async () => {
		const other = join(root, "other");
		mkdirSync(other, { recursive: true });
		const result = await sh("touch x; pwd", { cwd: other, workspaceRoot: work });
		expect(result.output).toContain(`${other}\n`);
		expect(existsSync(join(other, "x"))).toBe(false);
	});

	test("sandbox: everything inside ends when the command is killed", async () => {
		const running = environment.exec({
			argv: ["/bin/bash", "-c", "trap '' TERM; echo up; sleep 600 & sleep 601"],
			cwd: work,
			env: { PATH: process.env["PATH"] ?? "" },
			sandbox: "workspace-write",
			networkAccess: false,
			writableRoots: [],
		});
		await new Promise<void>((resolve) => void running.onOutput(() => resolve()));
		expect(
			running.pid !== null &&
				running.startTime !== null &&
				isSameProcess({ pid: running.pid, start_time: running.startTime }),
		).toBe(true);
		running.kill(200);
		const result = await running.done;
		expect(result.signal === null && result.exitCode === 0).toBe(false);
	});
});

describe("without a sandbox", () => {
	test("environment: says why, and runs nothing that wanted one, when bwrap is not there", async () => {
		const root = mkdtempSync(join(tmpdir(), "weave-nosandbox-"));
		const given = options(root);
		await using environment = await createLocalEnvironment({ ...given, env: { ...given.env, PATH: root } });
		expect(environment.sandbox).toMatchObject({
			kind: "none",
			available: false,
			detail: expect.stringMatching(/bwrap was not found/),
		});
		const request = {
			argv: ["/bin/sh", "-c", "echo ran"],
			cwd: root,
			env: {},
			networkAccess: false,
			writableRoots: [],
		};
		expect(await environment.exec({ ...request, sandbox: "read-only" }).done).toMatchObject({
			output: "",
			startError: expect.stringMatching(/no sandbox/),
		});
		expect(await environment.exec({ ...request, sandbox: "danger-full-access" }).done).toMatchObject({
			output: "ran\n",
			startError: null,
		});
		rmSync(root, { recursive: true, force: true });
	});
});

describe.skipIf(!available)("sandbox of a home whose path is too long for sockets", () => {
	test.each(["read-only", "workspace-write"] as const)(
		"sandbox: codex.sock cannot be reached where it fell back to a short folder when %s",
		async (sandbox) => {
			const root = realpathSync(mkdtempSync(join(homedir(), "weave-sandbox-")));
			const work = join(root, "work");
			const long = join(root, "h".repeat(100));
			for (const folder of [work, long]) mkdirSync(folder);
			const { env } = options(root);
			const paths = resolvePaths({ ...env, HOMIE_HOME: long });
			expect(paths.codexSocket.startsWith(root)).toBe(false);
			mkdirSync(dirname(paths.codexSocket), { mode: 0o700 });
			const server = createServer((socket) => socket.end());
			await new Promise<void>((resolve) => server.listen(paths.codexSocket, resolve));
			await using environment = await createLocalEnvironment({ ...options(root), paths });
			const request = { cwd: work, env: {}, networkAccess: true, writableRoots: [] };
			const argv = ["/usr/bin/perl", "-e", CONNECT, paths.codexSocket];
			try {
				expect((await environment.exec({ ...request, argv, sandbox }).done).output).toMatch(/^refused /);
				const open = environment.exec({ ...request, argv, sandbox: "danger-full-access" });
				expect((await open.done).output).toBe("CONNECTED\n");
			} finally {
				await new Promise((resolve) => server.close(resolve));
				for (const folder of [root, dirname(paths.codexSocket)])
					rmSync(folder, { recursive: true, force: true });
			}
		},
	);
});

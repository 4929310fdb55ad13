import { describe, expect, it } from "vitest";
import { serviceUnit } from "#platform/service-unit.ts";

const options = { node: "/opt/my node/bin/node", daemon: "/srv/100%/dist/daemon.js", uid: 501 };

describe("service unit", () => {
	it("service: the systemd unit stops the daemon alone and quotes what needs it", () => {
		const unit = serviceUnit({
			...options,
			platform: "linux",
			env: { HOME: "/home/u", HOMIE_HOME: '/x "y"', CODEX_HOME: " " },
		});
		expect(unit?.path).toBe("/home/u/.config/systemd/user/weave-codex.service");
		const lines = unit?.text.split("\n") ?? [];
		expect(lines).toContain('ExecStart="/opt/my node/bin/node" "/srv/100%%/dist/daemon.js"');
		expect(lines).toContain("KillMode=process");
		expect(lines.filter((line) => line.startsWith("Environment="))).toEqual([
			'Environment="HOMIE_HOME=/x \\"y\\""',
		]);
	});

	it("service: the launchd agent leaves the pty-host alone and escapes XML", () => {
		const unit = serviceUnit({
			...options,
			daemon: "/a&b/daemon.js",
			platform: "darwin",
			env: { HOME: "/Users/u", WEAVE_HOME: "/w<1>" },
		});
		expect(unit?.path).toBe("/Users/u/Library/LaunchAgents/dev.weave-codex.daemon.plist");
		expect(unit?.text).toContain("<string>/a&amp;b/daemon.js</string>");
		expect(unit?.text).toContain("<key>WEAVE_HOME</key><string>/w&lt;1&gt;</string>");
		expect(unit?.text).toContain("<key>AbandonProcessGroup</key><true/>");
		expect(unit?.install).toEqual([["launchctl", "bootstrap", "gui/501", unit?.path]]);
	});

	it("service: elsewhere there is none", () => {
		expect(serviceUnit({ ...options, platform: "win32", env: {} })).toBeUndefined();
	});
});

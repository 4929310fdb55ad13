import { readFileSync } from "node:fs";
import { arch, hostname, release, type } from "node:os";

const MACHINES: Readonly<Record<string, string>> = { x64: "x86_64", arm64: "aarch64" };

function osRelease(): Record<string, string> {
	try {
		const lines = readFileSync("/etc/os-release", "utf8").split("\n");
		return Object.fromEntries(
			lines.flatMap((line) => {
				const [, key, value] = line.match(/^(\w+)="?([^"]*)"?$/u) ?? [];
				return key === undefined || value === undefined ? [] : [[key, value]];
			}),
		);
	} catch {
		return {};
	}
}

/** Three numbers, as the reference writes versions. */
function threeNumbers(version: string): string {
	const numbers = version.split(".").map((part) => part.replace(/\D.*$/u, "") || "0");
	return [...numbers, "0", "0"].slice(0, 3).join(".");
}

/** "Debian 12.0.0; x86_64": what clients are told of this machine. */
export function describeMachine(): string {
	const info = osRelease();
	const name = info["NAME"]?.split(" ")[0] ?? type();
	return `${name} ${threeNumbers(info["VERSION_ID"] ?? release())}; ${MACHINES[arch()] ?? arch()}`;
}

export { hostname };

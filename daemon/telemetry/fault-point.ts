import type { FaultPoint } from "./port.ts";

const FAULT_PATTERN = /^([a-z0-9._-]+)(?::(\d+))?(?:=(kill|throw))?$/;

/**
 * Reads `WEAVE_FAULT=name[:nth][=kill|throw]` once. The nth call (default the first) of that point kills this process
 * with SIGKILL, or throws. @throws Error on a value of another shape: a test with a typo must not pass.
 */
export function createFaultPoint(env: Readonly<Record<string, string | undefined>>): FaultPoint {
	const value = env["WEAVE_FAULT"];
	if (value === undefined || value === "") return () => undefined;
	const match = FAULT_PATTERN.exec(value);
	if (!match) throw new Error(`WEAVE_FAULT is not name[:nth][=kill|throw]: ${value}`);
	const [, wanted, nth = "1", action = "kill"] = match;
	let left = Number(nth);
	return (name) => {
		if (name !== wanted) return;
		left -= 1;
		if (left !== 0) return;
		if (action === "throw") throw new Error(`fault point ${name}`);
		process.kill(process.pid, "SIGKILL");
	};
}

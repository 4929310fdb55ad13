import type { Telemetry } from "#daemon/telemetry/port.ts";
import type { HookRegistry } from "./runner.ts";

const OWNER_ID = "builtin.tool-timing";

/**
 * Measures every tool call: how many run now (`tool_calls_running`), and how long each took by tool and outcome
 * (`tool_duration_ms`). Dispose to stop.
 */
export function registerToolTiming(hooks: HookRegistry, telemetry: Telemetry): Disposable {
	const running = new Set<string>();
	const stack = new DisposableStack();
	stack.use(telemetry.gauge("tool_calls_running", () => running.size));
	stack.use(
		hooks.register(OWNER_ID, "before_tool_call", (input) => {
			running.add(String(input["callId"]));
		}),
	);
	stack.use(
		hooks.register(OWNER_ID, "after_tool_call", (input) => {
			running.delete(String(input["callId"]));
			const labels = {
				tool: String(input["tool"]),
				outcome: input["success"] === true ? "success" : "failure",
			};
			telemetry.observe("tool_duration_ms", Number(input["durationMs"]), labels);
		}),
	);
	return stack;
}

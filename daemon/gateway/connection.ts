import { AppError, toAppError } from "#base/app-error.ts";
import { CLOSE_CODE, HELLO_TIMEOUT_MS } from "#protocol/limits.ts";
import type { ConnectionContext } from "./connection-context.ts";
import { createDialogue, type Dialogue } from "./dialogue.ts";
import type { Caller } from "./handler.ts";
import { createServerHello, parseHello } from "./hello.ts";
import { createOutlet } from "./outlet.ts";
import type { LinkHandlers, ServerLink } from "./server-link.ts";

/** One client of `/ws`, from its hello to its close. */
export interface GatewayConnection extends LinkHandlers {
	/** Aborts what is under way and closes the link. */
	shut(code: number, reason: string): void;
}

/** `authenticated` is what the upgrade proved; the hello adds the label. */
export function createConnection(
	context: ConnectionContext,
	link: ServerLink,
	authenticated: Caller,
	onClosed: () => void,
): GatewayConnection {
	const { clock } = context;
	const outlet = createOutlet(link);
	let dialogue: Dialogue | undefined;
	let ended = false;

	function reject(error: AppError): void {
		outlet.push(JSON.stringify({ type: "reject", code: error.code, reason: error.message }));
		outlet.close(CLOSE_CODE.rejected, error.code);
	}

	const helloTimer = clock.after(HELLO_TIMEOUT_MS, () =>
		reject(new AppError("TIMEOUT", `No hello within ${HELLO_TIMEOUT_MS} ms.`)),
	);

	function greet(text: string): void {
		try {
			const { protocol, client } = parseHello(text);
			if (context.isDraining()) throw new AppError("DAEMON_STOPPING");
			helloTimer[Symbol.dispose]();
			const caller: Caller = { ...authenticated, label: `${client.kind} (${client.name})` };
			dialogue = createDialogue(context, outlet, caller);
			outlet.push(JSON.stringify(createServerHello(caller, protocol, context.epoch)));
		} catch (thrown) {
			reject(toAppError(thrown));
		}
	}

	function end(): void {
		if (ended) return;
		ended = true;
		helloTimer[Symbol.dispose]();
		dialogue?.end();
		onClosed();
	}

	return {
		onText(text) {
			if (outlet.closed) return;
			if (dialogue) dialogue.onText(text);
			else greet(text);
		},
		onBinary(bytes) {
			if (outlet.closed) return;
			if (dialogue) dialogue.onBinary(bytes);
			else reject(new AppError("PROTOCOL_OUT_OF_ORDER", "The first frame is no hello."));
		},
		onLinkError: end,
		onClose: end,
		shut(code, reason) {
			outlet.close(code, reason);
			end();
		},
	};
}

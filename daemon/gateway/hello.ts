import { AppError } from "#base/app-error.ts";
import { type ClientHello, clientHelloSchema, type ServerHello } from "#protocol/envelope.ts";
import { LIMITS, PROTOCOL_MAX, PROTOCOL_MIN, VERSION } from "#protocol/limits.ts";
import { METHODS } from "#protocol/service/index.ts";
import type { Caller } from "./handler.ts";
import { parseTextFrame } from "./text-frame.ts";

/** First version of every service; a service that breaks its callers gets its own number. */
const SERVICE_VERSION = "1";

function listServices(): ServerHello["services"] {
	const byService = Map.groupBy(METHODS, ({ name }) => name.slice(0, name.indexOf(".")));
	return Array.from(byService, ([name, methods]) => ({
		name,
		version: SERVICE_VERSION,
		features: methods.map((method) => method.name.slice(name.length + 1)),
	}));
}

const SERVICES = listServices();

/** The answer to a hello; a service's features are its methods without the service's name. */
export function createServerHello(caller: Caller, protocol: number, epoch: string): ServerHello {
	return {
		type: "hello",
		protocol,
		server: { name: "weave-codex", version: VERSION, epoch },
		identity: caller.identity,
		role: caller.role,
		scopes: [...new Set(caller.grants.map(({ scope }) => scope))],
		services: SERVICES,
		limits: { ...LIMITS },
	};
}

/**
 * Reads a client's first frame and picks the highest version both speak.
 * @throws AppError PROTOCOL_LIMIT, PROTOCOL_INVALID_FRAME, PROTOCOL_OUT_OF_ORDER, PROTOCOL_VERSION.
 */
export function parseHello(text: string): { protocol: number; client: ClientHello["client"] } {
	const message = parseTextFrame(text, LIMITS.first_frame_bytes);
	if (message["type"] !== "hello")
		throw new AppError("PROTOCOL_OUT_OF_ORDER", "The first frame is no hello.");
	const hello = clientHelloSchema.safeParse(message);
	if (!hello.success)
		throw new AppError("PROTOCOL_INVALID_FRAME", "The hello is not as the protocol has it.");
	const { protocol, client } = hello.data;
	if (protocol.max < PROTOCOL_MIN || protocol.min > PROTOCOL_MAX || protocol.min > protocol.max) {
		throw new AppError("PROTOCOL_VERSION", `This daemon speaks protocol ${PROTOCOL_MIN} to ${PROTOCOL_MAX}.`);
	}
	return { protocol: Math.min(protocol.max, PROTOCOL_MAX), client };
}

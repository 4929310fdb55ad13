import type { ServerHello } from "#protocol/envelope.ts";
import { LIMITS, VERSION } from "#protocol/limits.ts";
import { METHODS } from "#protocol/service/index.ts";
import type { Caller } from "./handler.ts";

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
		scopes: [...caller.scopes],
		services: SERVICES,
		limits: { ...LIMITS },
	};
}

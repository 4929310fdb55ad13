import { z } from "zod";
import { defineMethod } from "../define.ts";
import { daemonStatusSchema } from "../record.ts";

export const daemonStatus = defineMethod({
	name: "daemon.status",
	summary: "State of the daemon: pid, version, listeners, uptime, counts, store, sandbox, provider.",
	scope: "daemon.read",
	params: z.strictObject({}),
	result: daemonStatusSchema,
	errors: [],
	mutates: false,
});

export const daemonStop = defineMethod({
	name: "daemon.stop",
	summary: "Stops the daemon after draining; terminals live on in the pty-host unless `terminals` is true.",
	scope: "daemon.admin",
	params: z.strictObject({ terminals: z.boolean().default(false) }),
	result: z.looseObject({ stopping: z.boolean(), pty_host_pid: z.int().nullable() }),
	errors: [],
	mutates: true,
});

export const daemonMethods = [daemonStatus, daemonStop] as const;

import type { AttachMode, HostEvent } from "#client/attach/host-message.ts";

/** What the rule needs of an attached client. */
export interface RuledLink {
	readonly options: { readonly client: string; readonly device: string; readonly mode: AttachMode };
	readonly size: { cols: number; rows: number } | undefined;
	send(event: HostEvent): void;
}

export interface Driver<Link> {
	link: Link;
	sinceMs: number;
}

/**
 * One link drives: it types, and the terminal has its size. The others watch. Who asked to drive gets it when nobody does, on
 * `takeover`, or when the driver leaves: oldest first.
 */
export interface DriverRule<Link extends RuledLink> {
	readonly links: readonly Link[];
	readonly driver: Driver<Link> | undefined;
	/** Tells the link, and who drove before, what it may do now. */
	join(link: Link, takeover: boolean): void;
	/** False when it was not there. */
	leave(link: Link): boolean;
}

export function createDriverRule<Link extends RuledLink>(ports: {
	nowMs(): number;
	applySize(size: { cols: number; rows: number }): void;
}): DriverRule<Link> {
	const links: Link[] = [];
	let driver: Driver<Link> | undefined;

	function setDriver(link: Link | undefined): void {
		const before = driver?.link;
		driver = link && { link, sinceMs: ports.nowMs() };
		if (link?.size) ports.applySize(link.size);
		const label = link?.options.device ?? null;
		before?.send({ event: "mode", mode: "watch", driver: label });
		link?.send({ event: "mode", mode: "drive", driver: label });
	}
	return {
		links,
		get driver() {
			return driver;
		},
		join(link, takeover) {
			links.push(link);
			if (link.options.mode === "drive" && (!driver || takeover)) setDriver(link);
			else link.send({ event: "mode", mode: "watch", driver: driver?.link.options.device ?? null });
		},
		leave(link) {
			const at = links.indexOf(link);
			if (at < 0) return false;
			links.splice(at, 1);
			if (driver?.link === link) setDriver(links.find((other) => other.options.mode === "drive"));
			return true;
		},
	};
}

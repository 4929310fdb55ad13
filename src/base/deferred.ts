/** A promise with its resolvers outside. */
export interface Deferred<T> {
	readonly promise: Promise<T>;
	resolve(value: T): void;
	reject(reason: unknown): void;
}

/** The promise's rejection counts as handled, so that a waiter may come late. */
export function createDeferred<T>(): Deferred<T> {
	const { promise, resolve, reject } = Promise.withResolvers<T>();
	promise.catch(() => undefined);
	return { promise, resolve, reject };
}

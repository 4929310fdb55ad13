import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createProduct, type Product } from "#test/support/product.ts";

let product: Product;
beforeAll(async () => {
	product = await createProduct();
});
afterAll(async () => {
	await product[Symbol.asyncDispose]();
});

describe("homie new with a program that ends at once", () => {
	test("its whole output arrives through a pipe, and its exit code is ours", async () => {
		for (const [code, word] of [
			[0, "one"],
			[9, "two"],
		]) {
			const { code: got, stdout } = await product.homie(
				"new",
				"--",
				"bash",
				"-c",
				`echo ${word}; exit ${code}`,
			);
			expect([got, stdout.trim()]).toEqual([code, word]);
		}
	});

	test("a later attach says how it ended, also when a signal ended it", async () => {
		await product.homie("new", "--name", "killed", "--", "bash", "-c", "kill -9 $$");
		const listed = await product.homie("ls", "--all", "--json");
		expect(listed.stdout).toContain('"killed"');
		const preview = await product.homie("preview", "killed");
		expect(preview.code).toBe(66);
		expect(preview.stderr).toContain("signal 9");
	});
});

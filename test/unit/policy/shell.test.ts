import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { classifyDestructive } from "#daemon/policy/shell/destructive.ts";
import { isKnownSafe } from "#daemon/policy/shell/known-safe.ts";
import { parseShell } from "#daemon/policy/shell/parse.ts";

const safe = (text: string): boolean => parseShell(text)?.every(isKnownSafe) ?? false;

/** Whether a shell would run a substitution in the text: one outside single quotes and not escaped. */
function substitutes(text: string): boolean {
	let quote = "";
	for (let at = 0; at < text.length; at += 1) {
		const char = text.charAt(at);
		if (quote === "'") quote = char === "'" ? "" : quote;
		else if (char === "\\") at += 1;
		else if (char === "`" || text.startsWith("$(", at)) return true;
		else if (char === '"') quote = quote === '"' ? "" : '"';
		else if (char === "'" && quote === "") quote = "'";
	}
	return false;
}

describe("shell parser", () => {
	test("shell: words come without quotes when they are quoted", () => {
		const commands = parseShell(`git log --grep='a b' "c \\"d\\"" e\\ f 2>&1 | head -n 3; ls`);
		expect(commands?.map((command) => command.words.map((word) => word.text))).toEqual([
			["git", "log", "--grep=a b", 'c "d"', "e f"],
			["head", "-n", "3"],
			["ls"],
		]);
	});

	test.each([
		"echo $(rm x)",
		"echo `rm x`",
		"(ls)",
		"{ ls; }",
		"if true; then ls; fi",
		"for x in a; do ls; done",
		"cat <<EOF\nEOF",
		"cat <<< x",
		"ls # rm",
		"echo $\u007bx:-$(rm)}",
		"echo 'open",
		'echo "open',
		"diff <(ls) x",
		"f() { ls; }",
		"$CMD x",
		"l* x",
		"! ls",
		"echo {a,b}",
		"ls \\",
		"echo $'x'",
		'find . $"-delete"',
		'cat $"/etc/passwd"',
		"",
		"&",
		"a & & b",
		'echo "`id`"',
		"echo $((1))",
		"[[ -e x ]]",
		"a ;; b",
		"ls >& x",
	])("shell: unknown syntax is refused: %s", (text) => {
		expect(parseShell(text)).toBeUndefined();
	});

	test.each([
		"ls -la",
		"cat a b",
		"rg -n foo src | head -20",
		"git status",
		"git diff --stat && git log -3",
		"find . -name '*.ts'",
		"sed -n 1,20p a.txt",
		"cd src && ls",
		"grep -rn x . 2>/dev/null || true",
		"wc -l a > /dev/null",
		"git branch --show-current",
		"/usr/bin/ls",
		"cat *.txt",
		"rg foo src/*.ts",
		"printf '%s\\n' a",
		"test -e a",
		"date +%s",
		"uniq a",
		"git branch -a",
		"git stash list",
		'echo "a$"',
	])("shell: reading is safe: %s", (text) => {
		expect(safe(text)).toBe(true);
	});

	test.each([
		"ls > out",
		"echo x >> ~/.bashrc",
		"rm a",
		"find . -delete",
		"find . -exec rm {} \\;",
		"rg --pre=sh x",
		"rg --pre sh x",
		"sort -o a b",
		"sort -no a b",
		"sort --outp=a b",
		"git -c core.pager=sh log",
		"git diff --output=x",
		"git diff --outp=x",
		"git push",
		"git branch new",
		"git grep -Osh x",
		"PAGER=sh git log",
		"sed -i s/a/b/ x",
		"sed -n '1e rm x' a",
		"uniq a b",
		"cat a & rm b",
		"./ls",
		"/work/bin/cat a",
		"ls $X",
		"env ls",
		"xargs ls",
		"bash -c ls",
		"tree -o x",
		"date -s now",
		"echo a; touch b",
		"ls\nrm x",
		"ls &>x",
		"cd -",
		"git stash",
		"git remote add x y",
		"jq --from-file x",
		"uniq - out",
		"uniq -- -in out",
		"echo x | uniq - .git/hooks/pre-commit",
		"uniq a*",
		"test -v 'a[$(id)]'",
		"test -R 'a[$(id)]'",
		"printf -v 'a[$(id)]' x",
		"printf 'x%n' PATH",
		"printf 'x%5ln' PATH",
		"find * -name x",
		"rg foo *",
		"sed -n 1p *",
		"test * x",
		"printf a*",
		"git branch list",
		"git tag list",
		"tree -L 1 -R",
		"date 010203042030",
		"file -z x",
	])("shell: anything else is not: %s", (text) => {
		expect(safe(text)).toBe(false);
	});

	test("shell: the parser never throws and never takes a substitution when fed noise", () => {
		const piece = fc.constantFrom(
			"ls",
			" ",
			"$(",
			")",
			"`",
			"'",
			'"',
			"\\",
			"$",
			"x",
			"|",
			"&",
			";",
			"\n",
			">",
			"<",
			"~",
			"{",
			"}",
			"#",
			"2>&1",
		);
		fc.assert(
			fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
				const text = pieces.join("");
				const commands = parseShell(text);
				if (commands === undefined) return;
				expect(substitutes(text)).toBe(false);
			}),
			{ numRuns: 3000, seed: 7 },
		);
	});
});

describe("destructive classes", () => {
	const inGit = { cwd: "/work/sub", gitRoot: "/work" };
	test.each([
		["rm -rf build", null],
		["rm -rf ../other", null],
		["rm -rf /elsewhere", "delete outside git"],
		["rm -rf ../..", "delete outside git"],
		["rm -rf ..", "delete outside git"],
		["rm -rf ../.git", "delete outside git"],
		["rm -rf $DIR", "delete outside git"],
		["rm -rf ~/x", "delete outside git"],
		["git clean -fdx", "delete outside git"],
		["find / -name x -delete", "delete outside git"],
		["find . -exec sudo rm {} \\;", "privilege"],
		["echo x | xargs rm -rf /a", "delete outside git"],
		["bash -lc 'sudo id'", "privilege"],
		["env A=1 timeout 5 sudo id", "privilege"],
		["git push -f origin main", "force push"],
		["git push origin +main", "force push"],
		["git push origin :gone", "force push"],
		["git -C x push --force-with-lease", "force push"],
		["git push", null],
		["git commit --amend", "history rewrite"],
		["git rebase -i HEAD~3", "history rewrite"],
		["git reset --hard HEAD~1", "history rewrite"],
		["git commit -m x", null],
		["dd if=/dev/zero of=/dev/sda", "disk"],
		["mkfs.ext4 /dev/sda1", "disk"],
		["echo x > /dev/sda", "disk"],
		["python3 -m http.server", "network listener"],
		["nc -lvp 4444", "network listener"],
		["if true; then sudo id; fi", "privilege"],
		["echo $(sudo id)", "privilege"],
		["grep -r sudo .", null],
		["npm test", null],
	] as const)("destructive: %s is %s", (text, expected) => {
		expect(classifyDestructive(text, inGit)).toBe(expected);
	});

	test("destructive: any deletion counts when there is no git", () => {
		expect(classifyDestructive("rm x", { cwd: "/work", gitRoot: null })).toBe("delete outside git");
	});
});

from __future__ import annotations

from codegen.typescript_layout import comment, header, imports


def test_a_header_says_what_the_file_is_and_that_nobody_edits_it() -> None:
    assert header("Tables.").startswith("/**\n * Tables.\n *\n * Generated")


def test_a_short_comment_takes_one_line_and_a_long_one_a_block() -> None:
    assert comment("One.", "  ") == "  /** One. */\n"
    assert comment("One.\n\nTwo.") == "/**\n * One.\n *\n * Two.\n */\n"
    assert comment("") == ""


def test_a_comment_cannot_end_itself() -> None:
    assert comment("a */ b").count("*/") == 1


def test_imports_are_sorted_and_broken_when_too_long() -> None:
    assert imports(["b", "A"], "./x.ts") == 'import { A, b } from "./x.ts";\n'
    assert imports(["A"], "./x.ts", types=True) == 'import type { A } from "./x.ts";\n'
    many = imports([f"name{n:02}" for n in range(20)], "./x.ts")
    assert many.startswith("import {\n  name00,\n")
    assert many.endswith('  name19,\n} from "./x.ts";\n')

"""The examples in the comments of the TypeScript client, as programs.

Knows `@example`, and what the examples may name. A line that ends in `// value` says what its
expression gives. An example that calls a hook is the body of a component.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tests.docs.node import TYPESCRIPT

__all__ = ["WORLD", "Example", "examples", "programs"]

SOURCE = TYPESCRIPT / "src"

_COMMENT = re.compile(r"/\*\*\n(.*?)\*/\n *([^\n]*)", re.DOTALL)
_EXAMPLE = re.compile(r"^@example\n(.*?)(?=^@\w|\Z)", re.DOTALL | re.MULTILINE)
_RESULT = re.compile(r"^(.+); // ([\"'\[{\d].*|true|false|null|undefined)$", re.MULTILINE)
_HOOK = re.compile(r"\buse[A-Z]\w+\(")
_DECLARED = re.compile(r"^const (\w+)", re.MULTILINE)

FROM = {
    "index.ts": ("connect", "RhtmxError"),
    "core/operations.ts": (
        "add",
        "append",
        "deleteKey",
        "inc",
        "max",
        "min",
        "remove",
        "setKey",
    ),
    "forms/index.ts": ("bindForm",),
    "htmx/index.ts": ("bindPage",),
    "react/index.ts": (
        "useCollection",
        "useConflicts",
        "useConnection",
        "useField",
        "useForm",
        "usePresence",
        "useRecord",
    ),
    "core/handshake-failure.ts": ("shown",),
    "core/uuid7.ts": ("uuid7",),
    "forms/member.ts": ("member",),
    "schema/entered.ts": ("entered",),
    "schema/formats.ts": ("isEmail", "isHostname", "isWebUrl"),
    "schema/judge.ts": ("judge",),
    "schema/kinds.ts": ("INT32",),
    "schema/text.ts": ("toBool", "toFloat", "toInt", "toTimestamp", "toWord", "trim"),
    "schema/times.ts": (
        "parseDuration",
        "parseTimestamp",
        "timestampFrom",
        "writeDuration",
        "writeTimestamp",
    ),
    "testing/index.ts": ("createServer",),
    "wire/index.ts": ("decode",),
}
"""What the examples may call, by the module that has it."""


def _declared() -> str:
    lines = [
        f'  var {name}: typeof import("{SOURCE}/{module}").{name};'
        for module, names in FROM.items()
        for name in names
    ]
    return "\n".join(lines)


WORLD = f"""
import type {{ Client, Collection, Row as Shown }} from "{SOURCE}/index.ts";
import type {{ FormDeclared, Message }} from "{SOURCE}/schema.ts";
declare global {{
  interface Task {{
    readonly title: string;
    readonly done?: boolean;
  }}
  /** What the examples find. */
  var client: Client;
  var tasks: Collection<Task>;
  var id: string;
  var form: HTMLFormElement;
  var element: HTMLFormElement;
  /** As `rhtmx codegen` makes them. */
  var TASK: Message;
  var SignUp: FormDeclared<{{ readonly title: string }}>;
  var isOpen: (row: Shown<Task>) => boolean;
  var render: (rows: readonly Shown<Task>[]) => void;
  var send: () => void;
  /** What a line says that its expression gives. */
  var gives: <T>(value: T, said: T) => void;
{_declared()}
}}
"""
"""The types of all that the examples may name."""


@dataclass(frozen=True)
class Example:
    """One example.

    Args:
        name: where it stands: file and declaration.
        body: its lines.
    """

    name: str
    body: str

    @property
    def program(self) -> str:
        """It as a function, in a module of its own."""
        kind = "function Example" if _HOOK.search(self.body) else "async function example"
        body = _RESULT.sub(r"gives(\1, \2);", self.body)
        used = "".join(f"  void {name};\n" for name in _DECLARED.findall(body))
        # What is declared is used, also where an example ends with it.
        lines = (
            body.replace("\nreturn ", f"\n{used}return ") if "\nreturn " in body else body + used
        )
        return f"export {{}};\nexport default {kind}() {{\n{lines}}}\n"


def examples() -> list[Example]:
    """All examples of the client, in the order of files and lines."""
    return [
        Example(f"{path.relative_to(SOURCE)} {declaration.partition('(')[0].strip()}", body)
        for path in sorted(SOURCE.rglob("*.ts"))
        for comment, declaration in _COMMENT.findall(path.read_text(encoding="utf-8"))
        for body in _EXAMPLE.findall(re.sub(r"^ *\* ?", "", comment, flags=re.MULTILINE))
    ]


def programs() -> dict[str, str]:
    """The files to be checked and run, by name: the examples, and the types of what they find."""
    numbered = {f"example_{at}.tsx": each.program for at, each in enumerate(examples())}
    return {**numbered, "world.ts": WORLD.lstrip()}

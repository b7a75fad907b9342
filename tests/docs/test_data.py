"""What the guide to one's own code shows works as it stands there."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.docs.markdown import blocks, page, programs
from tests.support.process import run

GUIDE = page("docs/guides/data.md")
RUN = "\nif __name__ == '__main__':\n    import asyncio\n    asyncio.run(main())\n"


def test_the_programs_print_what_is_shown(tmp_path: Path) -> None:
    found = programs(GUIDE)
    shown = [each.text for each in blocks(GUIDE) if each.language == "text"]
    server = found["tea.py"][0].replace("App(store", "App(config=Config(port=0), store")
    server = server.replace("import App, Grant", "import App, Config, Grant")
    (tmp_path / "tea.py").write_text(server + RUN, encoding="utf-8")
    script = next(each.text for each in blocks(GUIDE) if each.text.startswith("from tea import"))
    (tmp_path / "report.py").write_text(script, encoding="utf-8")
    for name, expected in zip(("tea.py", "report.py"), shown, strict=True):
        assert run(sys.executable, name, folder=tmp_path).output == expected


def test_all_programs_can_be_read_by_python() -> None:
    sources = [each.text for each in blocks(GUIDE) if each.language == "python"]
    assert len(sources) == 5
    for each in sources:
        compile(each, "guide", "exec")

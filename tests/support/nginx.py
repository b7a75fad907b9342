"""An nginx of one's own before servers on this machine, configured as in docs/compose."""

from __future__ import annotations

import contextlib
import re
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.support.nest import end_together
from tests.support.process import ROOT, run
from tests.support.programs import nginx

__all__ = ["CONFIG", "running"]

CONFIG = ROOT / "docs" / "compose" / "nginx.conf"

_FOLDERS = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


@contextlib.contextmanager
def running(ports: Sequence[int]) -> Iterator[str]:
    """One that takes connections; gives its host and port. Skips the test where there is none.

    Args:
        ports: of the servers behind it, as many as there are in the configuration.
    """
    program = nginx()
    with tempfile.TemporaryDirectory(prefix="nginx") as name, _listening() as listener:
        folder = Path(name)
        folder.chmod(0o755)  # its workers are nobody, if we are root
        port: int = listener.getsockname()[1]
        (folder / "nginx.conf").write_text(_adapted(folder, port, ports))
        command = (program, "-p", folder, "-c", folder / "nginx.conf", "-e", "stderr")
        run(*command, "-t")
        listener.close()
        process = subprocess.Popen(command, preexec_fn=end_together)
        try:
            _wait_for(port, process)
            yield f"127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait()


def _adapted(folder: Path, port: int, ports: Sequence[int]) -> str:
    """The configuration, for this machine: only names, ports and places are others."""
    text = CONFIG.read_text(encoding="utf-8")
    nodes = iter(ports)
    text = re.sub(r"server node-\w+:3000", lambda _: f"server 127.0.0.1:{next(nodes)}", text)
    text = text.replace("listen 80;", f"listen 127.0.0.1:{port};")
    places = "".join(f"    {each}_temp_path {folder / each};\n" for each in _FOLDERS)
    text = text.replace("http {\n", f"http {{\n    access_log off;\n{places}", 1)
    text = text.replace("worker_processes auto;", "worker_processes 1;")
    text = text.replace("worker_rlimit_nofile 65536;", "").replace("30000", "500")
    return f"daemon off;\npid {folder / 'pid'};\n{text}"


def _listening() -> socket.socket:
    return socket.create_server(("127.0.0.1", 0))


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    while process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
    raise AssertionError(f"nginx has ended with {process.returncode}")

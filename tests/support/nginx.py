"""An nginx of one's own before servers on this machine, configured as in the documentation."""

from __future__ import annotations

import contextlib
import re
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tests.support.certificates import Pair
from tests.support.nest import end_together
from tests.support.process import ROOT, run
from tests.support.programs import nginx

__all__ = ["CONFIG", "SITE", "free_port", "running", "running_site", "wait_for"]

CONFIG = ROOT / "docs" / "compose" / "nginx.conf"
SITE = ROOT / "docs" / "deploy" / "nginx.conf"

_FOLDERS = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


@contextlib.contextmanager
def running(ports: Sequence[int]) -> Iterator[str]:
    """One that takes connections; gives its host and port. Skips the test where there is none.

    Args:
        ports: of the servers behind it, as many as there are in the configuration.
    """
    with _started(lambda folder, port: _adapted(folder, port, ports)) as address:
        yield address


@contextlib.contextmanager
def running_site(
    pair: Pair, *, server: int, grpc: int, port: int = 0, settings: str = ""
) -> Iterator[str]:
    """One with the site of docs/deploy; gives its host and port. Skips where there is none.

    Args:
        pair: the certificate of the site, and its key.
        server: the port of the server behind it.
        grpc: that of its gRPC door.
        port: its own; 0 takes a free one.
        settings: more of them, for all sites.
    """

    def text(folder: Path, port: int) -> str:
        site = SITE.read_text(encoding="utf-8")
        for shown, here in (
            ("listen 443", f"listen 127.0.0.1:{port}"),
            ("/etc/ssl/certs/app.example.com.pem", str(pair.cert)),
            ("/etc/ssl/private/app.example.com.key", str(pair.key)),
            ("127.0.0.1:3000", f"127.0.0.1:{server}"),
            ("127.0.0.1:50051", f"127.0.0.1:{grpc}"),
        ):
            assert site.count(shown) == 1, shown
            site = site.replace(shown, here)
        around = f"events {{\n}}\nhttp {{\n    access_log off;\n{_places(folder)}{settings}"
        return f"daemon off;\nworker_processes 1;\npid {folder / 'pid'};\n{around}\n{site}}}\n"

    with _started(text, port) as address:
        yield address


@contextlib.contextmanager
def _started(text: Callable[[Path, int], str], port: int = 0) -> Iterator[str]:
    """One with a configuration, of which it is told where it may write and where it listens."""
    program = nginx()
    with tempfile.TemporaryDirectory(prefix="nginx") as name:
        folder = Path(name)
        folder.chmod(0o755)  # its workers are nobody, if we are root
        port = port or free_port()
        (folder / "nginx.conf").write_text(text(folder, port))
        command = (program, "-p", folder, "-c", folder / "nginx.conf", "-e", "stderr")
        run(*command, "-t")
        process = subprocess.Popen(command, preexec_fn=end_together)
        try:
            wait_for(port, process)
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
    text = text.replace("http {\n", f"http {{\n    access_log off;\n{_places(folder)}", 1)
    text = text.replace("worker_processes auto;", "worker_processes 1;")
    text = text.replace("worker_rlimit_nofile 65536;", "").replace("30000", "500")
    return f"daemon off;\npid {folder / 'pid'};\n{text}"


def _places(folder: Path) -> str:
    return "".join(f"    {each}_temp_path {folder / each};\n" for each in _FOLDERS)


def free_port() -> int:
    """A port that nobody listened on a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    """Return when a proxy takes connections.

    Raises:
        AssertionError: it has ended instead.
    """
    while process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
    raise AssertionError(f"the proxy has ended with {process.returncode}")

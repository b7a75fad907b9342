"""A Caddy of one's own before a server on this machine, configured as in docs/deploy."""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.support.certificates import Pair
from tests.support.nest import end_together
from tests.support.nginx import free_port, wait_for
from tests.support.process import ROOT, run
from tests.support.programs import caddy

__all__ = ["CONFIG", "running"]

CONFIG = ROOT / "docs" / "deploy" / "Caddyfile"

_GLOBAL = "{\n\tadmin off\n\tauto_https disable_redirects\n\tlog {\n\t\tlevel ERROR\n\t}\n}\n"


@contextlib.contextmanager
def running(pair: Pair, *, server: int, grpc: int) -> Iterator[str]:
    """One that takes connections; gives its host and port. Skips the test where there is none.

    Args:
        pair: the certificate of the site, which it need not fetch then, and its key.
        server: the port of the server behind it.
        grpc: that of its gRPC door.
    """
    program, port = caddy(), free_port()
    names = f"app.example.com:{port}, localhost:{port}"
    text = CONFIG.read_text(encoding="utf-8")
    for shown, here in (
        (
            "\napp.example.com {",
            f"\n{names} {{\n\ttls {pair.cert} {pair.key}",
        ),
        ("reverse_proxy 127.0.0.1:3000", f"reverse_proxy 127.0.0.1:{server}"),
        ("127.0.0.1:50051", f"127.0.0.1:{grpc}"),
    ):
        assert text.count(shown) == 1, shown
        text = text.replace(shown, here)
    with tempfile.TemporaryDirectory(prefix="caddy") as name:
        config = Path(name) / "Caddyfile"
        config.write_text(_GLOBAL + text)
        command = (program, "run", "--adapter", "caddyfile", "--config", config)
        environ = {"HOME": name, "XDG_CONFIG_HOME": name, "XDG_DATA_HOME": name}
        run(program, "validate", *command[2:], environ=environ)
        process = subprocess.Popen(command, env=environ, preexec_fn=end_together)
        try:
            wait_for(port, process)
            yield f"127.0.0.1:{port}"
        finally:
            process.kill()  # else it waits for its connections
            process.wait()

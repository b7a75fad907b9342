#!/usr/bin/env bash
# uvloop 0.23: `call_later` with less than half a millisecond fires in the next turn of the loop; the
# delay is rounded to whole milliseconds. A loop that waits for a deadline in this way, and looks at
# the clock when it wakes, spins. asyncio's own loop waits.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check uvloop==0.23.0
"$folder/venv/bin/python" - <<'EOF'
import asyncio
import time

import uvloop


async def wakings(delay: float) -> int:
    """How often one wakes before a deadline `delay` away has really come."""
    loop, deadline, count = asyncio.get_running_loop(), time.monotonic() + delay, 0
    while (left := deadline - time.monotonic()) > 0:
        woken = loop.create_future()
        loop.call_later(left, woken.set_result, None)
        await woken
        count += 1
    return count


def median(factory) -> int:
    with asyncio.Runner(loop_factory=factory) as runner:
        return sorted(runner.run(wakings(0.0004)) for _ in range(51))[25]


theirs, own = median(uvloop.new_event_loop), median(asyncio.new_event_loop)
print(f"wakings for a timer of 0.4 ms: uvloop {theirs}, asyncio {own}")
assert own <= 2
assert theirs >= 5
EOF

"""The form-validation endpoint that live forms replace: Starlette on uvicorn, uvloop, httptools."""

from __future__ import annotations

import socket
import sys

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from benchmarks.support import signup
from rhtmx_server.forms.rule_set import check_all

rule = check_all(signup.RULES)


async def validate(request: Request) -> JSONResponse:
    question = await request.json()
    field, value, error = question["field"], question["value"], None
    if field == "rule":
        error = rule([value])
    elif field == "async":
        error = None if await signup.is_free(value) else "is taken"
    elif field == "thread":
        error = None if await run_in_threadpool(signup.is_known, value) else "is not known"
    elif field == "slow":
        await run_in_threadpool(signup.block)
    return JSONResponse({"field": field, "valid": error is None, "error": error})


app = Starlette(routes=[Route("/validate", validate, methods=["POST"])])
listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
sys.stdout.write(f"ready http://127.0.0.1:{listener.getsockname()[1]}/\n")
sys.stdout.flush()
config = uvicorn.Config(app, loop="uvloop", http="httptools", access_log=False, log_level="error")
uvicorn.Server(config).run(sockets=[listener])
